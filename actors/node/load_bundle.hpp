#pragma once
#include <atomic>
#include <filesystem>
#include <functional>

#include "storage/receive_image.hpp"

namespace firstlight {

/// One bundle file to take in. The callbacks may be empty; they are called by the loading thread.
struct load_bundle_request {
  std::filesystem::path file;
  platform home;  ///< of this node: an image that suits it is kept under exactly this platform
  std::function<void(const pull_progress&)> progress;  ///< unpacked bytes, once a segment
  std::function<void(const toc_id&, const std::vector<block_run>&)> stored;  ///< verified, and readable now
  const std::atomic<bool>* stop = nullptr;  ///< may be null; once true: `cancelled`
};

struct loaded_bundle {
  mountable_image image;    ///< complete and durable
  std::uint64_t bytes = 0;  ///< of the file
};

/// Takes the image of a bundle file in, as if its hub had sent it: who signed the TOC and for which reference
/// is checked, every block is verified before it is stored. Blocks; workers only.
/// Errors: `not_found`, `denied` for a wrong origin, `corrupt` for a damaged or truncated file or one that
/// lacks a part of its image, `unsupported`, `cancelled`, those of the stores. What had been verified by then
/// stays, durably: another attempt or a hub brings the rest.
[[nodiscard]] result<loaded_bundle> load_bundle(const receive_tools& tools,
                                                const load_bundle_request& request);

}  // namespace firstlight
