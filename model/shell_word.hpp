#pragma once
#include <string>
#include <string_view>

namespace firstlight {

/// A text as one word of a POSIX shell's command line: as it is where that can be, else in single quotes.
[[nodiscard]] std::string shell_word(std::string_view text);

}  // namespace firstlight
