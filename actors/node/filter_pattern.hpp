#pragma once
#include "model/snapshot_filter.hpp"

namespace firstlight {

/// Reads a regular expression of containerd's filters, whose syntax and meaning are those of RE2: matching
/// takes time in proportion to the text, whatever the expression. Errors: `invalid_argument` for what is
/// none; `limit_exceeded` if it takes more than `bytes_max` of memory.
[[nodiscard]] result<snapshot_filter::pattern> compile_filter_pattern(const std::string& expression,
                                                                      std::uint32_t bytes_max);

}  // namespace firstlight
