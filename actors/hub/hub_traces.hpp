#pragma once
#include <set>

#include "config/admin_socket_limits.hpp"
#include "model/delivery.hpp"
#include "schemas/admin.hpp"
#include "storage/learn_image.hpp"

namespace firstlight {

/// How deliveries are cut and packed, for scores in packed bytes.
struct packing_tools {
  content_store* contents = nullptr;
  plan_limits cut{};
  segment_limits packing{};
};

/// What the admin requests about traces need; all outlive the call.
struct hub_trace_tools {
  image_catalogue& catalogue;
  trace_store& traces;
  const learning_options& learning;
  std::string platform;  ///< of images that are named without one

  const std::atomic<bool>* stop = nullptr;  ///< what computes for long ends with `cancelled`
  delivery_limits delivery{};               ///< how wants are answered, for scores
  std::uint64_t page_bytes = admin_socket_limits{}.page_bytes;  ///< of exported traces in one reply
  packing_tools packs{};

  [[nodiscard]] learn_tools learn() const {
    return {catalogue, traces, learning, {}, stop, packs.contents, {}};
  }
};

// The admin requests, answered. They read the disk and compute; workers only. Errors: `not_found` for an
// image that the hub does not know, `invalid_argument`, those of the stores.

/// The image that a user names; an empty platform is the hub's own.
[[nodiscard]] result<image_record> record_of(const hub_trace_tools& tools, const std::string& named,
                                             const std::string& platform);
/// Without the counters of the aggregator.
[[nodiscard]] result<admin_trace_list> list_traces(const hub_trace_tools& tools);
/// With a trace's id that one alone: `not_found` if there is none, `invalid_argument` if several begin so.
[[nodiscard]] result<admin_trace_detail> show_traces(const hub_trace_tools& tools,
                                                     const admin_trace_show& asked);
/// A page without the collection, which whoever has all pages makes. A trace larger than a page comes alone.
[[nodiscard]] result<admin_trace_texts> export_traces(const hub_trace_tools& tools,
                                                      const admin_trace_export& asked);
[[nodiscard]] result<admin_trace_scores> score_traces(const hub_trace_tools& tools,
                                                      const admin_trace_score& asked);

/// Traces that were taken out, and of which images: whoever has learned from them learns anew.
struct removed_traces {
  std::set<toc_id> images;
  std::uint32_t traces = 0;
};
/// Without a reference: of all images that the hub does not have. With a trace's id that one alone, as
/// `show_traces` finds it.
[[nodiscard]] result<removed_traces> remove_traces(const hub_trace_tools& tools,
                                                   const admin_trace_remove& asked);

/// A trace file as a trace of the image that it names; equal files of one image give equal ids. Paths may
/// begin with '/' or "./". It is exported with the image's name as the file has it, and with '/' if all of
/// its paths have it. Errors: `corrupt`, `not_found` for the image.
[[nodiscard]] result<trace> read_trace_file(const hub_trace_tools& tools, const std::string& text,
                                            const std::string& platform);

/// The same, made ready to be added: nothing if it is here already. One that was removed is forgotten, so
/// that it comes in again.
[[nodiscard]] result<std::optional<trace>> trace_to_import(const hub_trace_tools& tools,
                                                           const std::string& text,
                                                           const std::string& platform);

}  // namespace firstlight
