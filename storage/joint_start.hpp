#pragma once
#include <span>

#include "model/start_offsets.hpp"
#include "storage/trace_store.hpp"

namespace firstlight {

/// How long after the first of these images the others are started, as the traces of their groups say. Reads
/// the traces of all of them. Errors: `io`, `corrupt`.
[[nodiscard]] result<std::map<toc_id, std::chrono::milliseconds>> joint_start(
    const trace_store& traces, std::span<const toc_id> images, const start_offset_limits& limits = {});

}  // namespace firstlight
