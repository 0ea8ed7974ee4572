#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "model/blocks.hpp"
#include "model/result.hpp"

/// TRACES: which files a start of an image reads, and when. Times are nanoseconds since the start of the
/// instance unless a name says otherwise.
namespace firstlight {

/// Blocks of one file that were first read together.
struct traced_run {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::chrono::nanoseconds access{0};  ///< first access
  std::chrono::nanoseconds wait{0};    ///< how long it waited for our delivery
  friend bool operator==(const traced_run&, const traced_run&) = default;
};

/// One file of a start.
struct traced_file {
  std::string path;                    ///< in the image, without a leading '/'
  std::chrono::nanoseconds access{0};  ///< first access
  std::chrono::nanoseconds wait{0};    ///< the sum over its blocks
  std::vector<traced_run> runs;  ///< by access; empty: opened, but it is not known which blocks were read
  friend bool operator==(const traced_file&, const traced_file&) = default;
};

/// Names one trace, so that it is counted once wherever it comes from.
struct trace_id {
  digest value;
  friend auto operator<=>(const trace_id&, const trace_id&) = default;
};

/// The label of traces that belong to nothing but their own image.
inline constexpr std::string_view default_trace_group = "default";

/// The node of traces that a user has taken in from files.
inline constexpr std::string_view imported_node = "import";

/// How the file that a trace was imported from writes its names: it is exported in the same way. Nothing else
/// looks at that.
struct trace_spelling {
  std::string image;  ///< its name and tag as the file has them; empty: as `reference` has them
  std::string tag;
  bool rooted = false;  ///< its paths begin with '/'
  friend bool operator==(const trace_spelling&, const trace_spelling&) = default;
};

/// What one start has read.
struct trace {
  trace_id id;
  toc_id toc;             ///< of the image
  std::string reference;  ///< as it was mounted, canonical
  std::string group{default_trace_group};
  std::string node;                      ///< who recorded it, as its certificate says
  std::chrono::nanoseconds started{0};   ///< of the instance, since the epoch
  std::vector<traced_file> files;        ///< by access, then path; each path once
  std::chrono::nanoseconds received{0};  ///< by the first hub that had it, since the epoch; 0 before that
  trace_spelling spelling{};
  friend bool operator==(const trace&, const trace&) = default;
};

/// What a trace may hold. All values are positive.
struct trace_limits {
  std::uint32_t files_max = 65'536;
  std::uint32_t runs_max = 262'144;  ///< of all files together
  std::uint32_t path_bytes_max = 4096;
  std::uint32_t text_bytes_max = 4096;                               ///< reference, group, node
  std::chrono::nanoseconds span_max{std::chrono::hours(24)};         ///< latest access
  std::chrono::nanoseconds clock_error_max{std::chrono::hours(24)};  ///< a start may lie so far in the future
};

/// Whether a trace can be what it says, whatever its image has: sizes, order, times, names. `now` counts from
/// the epoch. Errors: `limit_exceeded`, `invalid_argument` naming the file.
[[nodiscard]] result<void> check_trace(const trace& recorded, const trace_limits& limits,
                                       std::chrono::nanoseconds now);

/// Puts files and runs into their order, and keeps of repeated paths the earliest.
void sort_trace(trace& recorded);

}  // namespace firstlight
