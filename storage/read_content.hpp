#pragma once
#include <vector>

#include "storage/content_store.hpp"

namespace firstlight {

/// Reads a whole complete content, e.g. as the base of a patch.
/// Errors: `not_ready`; `limit_exceeded` above `bytes_max`; those of the store.
[[nodiscard]] result<std::vector<std::byte>> read_content(const content_store& contents,
                                                          const content_info& content,
                                                          std::uint64_t bytes_max);

}  // namespace firstlight
