#pragma once
#include <atomic>

#include "storage/content_store.hpp"
#include "storage/image_catalogue.hpp"

namespace firstlight {

struct sweep_result {
  std::uint64_t contents_removed = 0;
  std::uint64_t bytes_removed = 0;
};

/// Removes every content that no TOC of the catalogue names. Blocks; detached workers only. The caller sees
/// to it that nobody is adding or removing an image meanwhile (model/sweep_turns.hpp): contents that an image
/// in the making has found or stored are named by no TOC yet. Others may read contents and records. Errors:
/// `io`; `cancelled` once `stop` is true: what is left goes with the next sweep; `corrupt` if an image's
/// record or TOC cannot be read: then nothing goes.
[[nodiscard]] result<sweep_result> sweep_contents(const image_catalogue& catalogue, content_store& contents,
                                                  const std::atomic<bool>* stop = nullptr);

}  // namespace firstlight
