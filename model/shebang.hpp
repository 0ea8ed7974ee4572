#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

struct shebang {
  std::string interpreter;  ///< a path
  std::string argument;     ///< all that follows, as the kernel hands it over; may be empty
  friend bool operator==(const shebang&, const shebang&) = default;

  /// Of "#!/usr/bin/env -S prog arg" the program to be looked up in PATH; nothing if it is not env.
  [[nodiscard]] std::optional<std::string> env_program() const;
};

/// How much of a file the kernel looks at for its first line.
inline constexpr std::size_t shebang_bytes_max = 256;

/// Reads the "#!" line at the begin of a script, as Linux does. Nothing if there is none.
[[nodiscard]] std::optional<shebang> parse_shebang(std::string_view head);

/// Guesses the programs that a shell script starts: the words in the place of a command, in their order, each
/// once, at most `words_max`; without regard to quoting, so some may be none.
[[nodiscard]] std::vector<std::string> shell_commands(std::string_view script, std::size_t words_max);

}  // namespace firstlight
