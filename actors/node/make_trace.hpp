#pragma once
#include "model/recording.hpp"
#include "model/trace.hpp"
#include "schemas/toc.hpp"

namespace firstlight {

/// Whose recording it is.
struct recorded_instance {
  std::shared_ptr<const toc_view> toc;
  toc_id id;
  std::string reference;
  std::string group;
  std::string node;
  std::chrono::nanoseconds started{0};  ///< since the epoch
};

/// The trace of a finished recording, with an id that nobody else has; without its latest accesses if it
/// would take more than `bytes_max`.
[[nodiscard]] trace make_trace(const recorded_instance& of, std::vector<recorded_content> contents,
                               std::uint64_t bytes_max);

}  // namespace firstlight
