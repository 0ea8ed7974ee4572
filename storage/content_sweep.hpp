#pragma once
#include "storage/content_store.hpp"
#include "storage/image_catalogue.hpp"

namespace firstlight {

struct sweep_result {
  std::uint64_t contents_removed = 0;
  std::uint64_t bytes_removed = 0;
};

/// Removes every content that no TOC of the catalogue names. The caller sees to it that nobody is adding an
/// image meanwhile. Errors: `io`; `corrupt` if an image's record or TOC cannot be read: then nothing goes.
[[nodiscard]] result<sweep_result> sweep_contents(const image_catalogue& catalogue, content_store& contents);

}  // namespace firstlight
