#pragma once
#include <atomic>
#include <filesystem>
#include <functional>

#include "actors/hub/prepare_delivery.hpp"
#include "storage/segment_builder.hpp"

namespace firstlight {

/// What saving works with; all outlive the call.
struct save_bundle_tools {
  const preparation_tools& preparation;
  segment_builder& builder;
};

/// One image to be written to a file.
struct save_bundle_request {
  known_image image;
  std::string reference;                               ///< canonical; the hub signs that it means this image
  std::filesystem::path file;                          ///< absolute; must not exist
  std::int64_t now = 0;                                ///< seconds since the epoch
  std::function<void(const pull_progress&)> progress;  ///< may be empty; unpacked bytes, once a segment
  const std::atomic<bool>* stop = nullptr;             ///< may be null; once true: `cancelled`
};

struct saved_bundle {
  std::string reference;
  std::uint64_t bytes = 0;  ///< of the file
};

/// Writes an image as a node that holds nothing would receive it: the signed TOC, the segments in the order
/// of the plan, the landmarks. Every segment carries its whole proof, so each can be verified alone. The file
/// has its name only when it is whole and durable. Blocks for as long as the disk needs; workers only.
/// Errors: `already_exists`, `invalid_argument` for a relative path, `cancelled`, those of
/// `prepare_delivery`, `segment_builder::build` and `bundle_writer`. After an error no file is left.
[[nodiscard]] result<saved_bundle> save_bundle(const save_bundle_tools& tools,
                                               const save_bundle_request& request);

}  // namespace firstlight
