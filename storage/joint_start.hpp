#pragma once
#include <span>

#include "model/start_offsets.hpp"
#include "storage/trace_store.hpp"

namespace firstlight {

/// One of several images that are sent together.
struct joint_image {
  toc_id toc;
  std::string reference;  ///< canonical
};

/// How long after the first of these images the others begin to read, as the traces of their groups say. An
/// image of which they say nothing counts as started when the latest other version of its repository was that
/// was in a group: a new version, or the same image under a table of contents that a newer hub has made anew.
/// Of these images together, and of each other version, the latest `limits.traces_max` traces that have a
/// label are read, and no others; what cannot be read is left out. Errors: `io`, `corrupt`.
[[nodiscard]] result<std::map<toc_id, std::chrono::milliseconds>> joint_start(
    const trace_store& traces, std::span<const joint_image> images, const start_offset_limits& limits = {});

}  // namespace firstlight
