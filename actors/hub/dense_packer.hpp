#pragma once
#include <map>

#include "actors/trace_messages.hpp"
#include "actors/worker.hpp"
#include "storage/dense_packing.hpp"

namespace firstlight {

/// Its own clock: so long ago the order of an image was the newest.
struct order_settled {
  toc_id toc;
  std::uint64_t generation = 0;
};

/// DENSE PACKER (hub): once the order of an image has stayed as it is for a while, what its starts are
/// expected to read is packed anew, smaller, so that the next node gets it in fewer bytes. A newer order ends
/// the work on an older one.
using dense_packer = caf::typed_actor<caf::reacts_to<order_learned>, caf::reacts_to<trace_added>,
                                      caf::reacts_to<order_settled>>;

/// What the packer works with.
struct dense_packer_tools {
  dense_packing_tools packing;
  worker_pool workers;  ///< compress for seconds; they take the images one after another
};

struct dense_packer_state {
  static inline const char* name = "dense-packer";
  struct newest {
    std::uint64_t generation = 0;
    std::shared_ptr<const stored_order> order;
    std::shared_ptr<std::atomic<bool>> outdated;
  };
  std::map<toc_id, newest> orders;  ///< that are not packed yet
  std::uint64_t generation = 0;
};

dense_packer::behavior_type make_dense_packer(dense_packer::stateful_pointer<dense_packer_state> self,
                                              dense_packer_tools tools);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::order_settled)
