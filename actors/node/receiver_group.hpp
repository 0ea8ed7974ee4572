#pragma once
#include <caf/all.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "model/blocks.hpp"

namespace firstlight {

/// Blocks that one delivery has brought and that are stored, for receivers whose images have the same
/// contents.
struct stored_elsewhere {
  struct run {
    content_id content;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  std::shared_ptr<const std::vector<run>> runs;
  bool out_of_turn = false;  ///< a want brought them forward
};

/// RECEIVER GROUP: all receivers of a node. Of deliveries that run at the same time the hub sends every
/// content in one only, so that receivers learn from each other what has come. Any thread.
class receiver_group {
 public:
  /// Until the receiver ends.
  void add(const caf::actor_addr& receiver);
  /// A delivery of this receiver is under way from now on; 0: none any more.
  void note(const caf::actor_addr& receiver, std::uint64_t delivery);
  /// The deliveries that are under way.
  [[nodiscard]] std::vector<std::uint64_t> under_way() const;
  [[nodiscard]] std::vector<caf::actor> others(const caf::actor_addr& receiver);

 private:
  mutable std::mutex mutex_;
  std::map<caf::actor_addr, std::uint64_t> receivers_;  ///< weak, with their deliveries
};

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::stored_elsewhere)
