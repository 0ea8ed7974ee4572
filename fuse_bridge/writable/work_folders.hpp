#pragma once
#include <filesystem>

#include "model/result.hpp"

namespace firstlight {

/// WHAT MODE FUSE HAS IN THE WORK FOLDER of a layer, beside what kernel overlayfs has there. Nothing of it
/// means anything once its session of the kernel has ended.
struct work_folders {
  explicit work_folders(const std::filesystem::path& work)
      : making(work / "firstlight"),
        kept(work / "firstlight-kept"),
        exchanges(work / "firstlight-exchanges") {}

  std::filesystem::path making;     ///< upper_layer: what has no name yet
  std::filesystem::path kept;       ///< kept_files
  std::filesystem::path exchanges;  ///< exchange_notes
};

/// For a mount in another mode, when no session uses the layer: removes what one has left that had no next
/// process. Errors: `io`.
result<void> remove_work_folders(const std::filesystem::path& work);

}  // namespace firstlight
