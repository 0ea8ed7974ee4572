#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

/// CONSOLE HISTORY: the lines that were typed, of all consoles of a user, in one file that they share while
/// they run. The file is libedit's: other programs with libedit read it. History is a convenience: what
/// cannot be read or written is left out, and nobody is told.
class console_history {
 public:
  static constexpr std::size_t lines_max = 1000;
  static constexpr std::size_t file_bytes_max = 256U << 10U;  ///< above it the older half of the file goes

  /// Without a file nothing is kept.
  explicit console_history(std::filesystem::path file) : file_(std::move(file)) {}

  /// The newest `lines_max`, the oldest first.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// Adds a line at once, as a whole, whoever else adds one. A new file is for its owner only.
  void add(std::string_view line) const;

 private:
  std::filesystem::path file_;
};

}  // namespace firstlight
