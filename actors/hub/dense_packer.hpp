#pragma once
#include <map>

#include "actors/trace_messages.hpp"
#include "actors/worker.hpp"
#include "storage/dense_packing.hpp"

namespace firstlight {

/// Its own clock: this order of the image was the newest for long enough, unless a newer one has come.
struct order_settled {
  toc_id toc;
  std::uint64_t generation = 0;
};

/// DENSE PACKER (hub): once an order that the aggregator has learned has stayed as it is for a while, what
/// starts of its image are expected to read is packed anew, smaller, so that the next node gets it in fewer
/// bytes. An image whose order changes all the time is packed now and then. What an earlier process has not
/// come to waits for the next trace of its image.
using dense_packer = caf::typed_actor<caf::reacts_to<order_learned>, caf::reacts_to<trace_added>,
                                      caf::reacts_to<order_settled>>;

/// What the packer works with.
struct dense_packer_tools {
  dense_packing_tools packing;
  worker_pool workers;  ///< compress for seconds; they take the images one after another
};

struct dense_packer_state {
  static inline const char* name = "dense-packer";
  struct image {
    digest reads;                              ///< what of its newest order starts are expected to read
    std::shared_ptr<const stored_order> next;  ///< that order, until it is packed
    std::uint64_t generation = 0;
    std::optional<caf::actor_clock::time_point> since{};  ///< it has waited to be packed
  };
  std::map<toc_id, image> images;
  std::uint64_t generation = 0;
};

dense_packer::behavior_type make_dense_packer(dense_packer::stateful_pointer<dense_packer_state> self,
                                              dense_packer_tools tools);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::order_settled)
