#pragma once
#include "model/recording.hpp"
#include "model/trace.hpp"
#include "schemas/toc.hpp"

namespace firstlight {

/// Whose recording it is.
struct recorded_instance {
  trace_id trace;  ///< of what comes of it, by now and in the end
  std::shared_ptr<const toc_view> toc;
  toc_id id;  ///< of the image
  std::string reference;
  std::string group;
  std::string node;
  std::chrono::nanoseconds started{0};  ///< since the epoch
};

/// An id that nobody else has.
[[nodiscard]] trace_id random_trace_id();

/// The trace of a recording, or of what there is of it; without its latest accesses if it would take more
/// than `bytes_max`. Walks the whole tree of the image.
[[nodiscard]] trace make_trace(const recorded_instance& of, std::vector<recorded_content> contents,
                               std::uint64_t bytes_max);

}  // namespace firstlight
