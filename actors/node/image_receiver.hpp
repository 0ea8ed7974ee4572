#pragma once
#include <functional>
#include <set>
#include <unordered_map>

#include "actors/interfaces.hpp"
#include "actors/node/receiver_group.hpp"
#include "actors/node/receiver_report.hpp"
#include "actors/worker.hpp"
#include "model/redelivery.hpp"
#include "storage/receive_image.hpp"
#include "storage/segment_reader.hpp"

namespace firstlight {

struct await_mountable {};
struct await_complete {};

/// All contents of this TOC are in the store, by whatever way: a bundle file was loaded.
struct brought_otherwise {
  toc_id toc;
};

/// Told to the node's root each time a delivery is complete or has failed.
struct delivery_ended {
  receiver_report report;
  caf::actor_addr by{};  ///< its receiver: another one may receive the same image by now
};

/// Told to the node's root when all has been sent that a start of the image is expected to read:
/// `landmark::guessed`, at most once a delivery.
struct start_sent {
  std::string reference;
};

/// Told to the node's root when a delivery waits for its link, or has failed, and nothing of it is under way.
/// It writes nothing until the root has answered `wake_receiver`.
struct receiver_rests {
  caf::actor_addr receiver;
  std::optional<mountable_image> image;  ///< what has arrived of it stays while the receiver lives
};
/// Asked of the node's root by a receiver that rests. Errors: `cancelled` if it is ending.
struct wake_receiver {
  caf::actor_addr receiver;
};
struct receiver_awake {};

/// RECEIVER with its management side, for the node's root.
using image_receiver = receiver::extend<
    // Answered as soon as the tree of the TOC is there. Errors: what ended the delivery.
    caf::replies_to<await_mountable>::with<mountable_image>,
    // Answered when all contents are there and durable. Errors: what ended the delivery.
    caf::replies_to<await_complete>::with<receiver_report>,
    caf::replies_to<caf::get_atom>::with<receiver_report>,
    // Progress while the delivery runs, every `progress_interval`, until the listener ends.
    caf::reacts_to<caf::subscribe_atom, progress_listener>,
    // Completes the delivery if it is of this TOC and nothing is missing.
    caf::reacts_to<brought_otherwise>,
    // From the other receivers of this node.
    caf::reacts_to<stored_elsewhere>,
    // Its own clock.
    caf::reacts_to<caf::tick_atom>>;

/// What a receiver works with. The stores outlive it.
struct receiver_tools {
  image_catalogue& catalogue;
  content_store& contents;
  trust_anchor authority;
  hub_link link;
  worker_pool workers;  ///< verify and store
  worker_pool keepers;  ///< make it durable
  receiver_limits limits;
  /// Gets delivery_ended, start_sent, receiver_rests, wake_receiver, version_replaced; may be invalid.
  caf::actor observer;
  std::shared_ptr<std::atomic<std::uint64_t>> delivery_ids;  ///< the last one used in this process
  std::shared_ptr<receiver_group> group;                     ///< of this node
  login_keeper logins{};                                     ///< none: pulls go without a login
  std::shared_ptr<erofs_plans> plans{};                      ///< of what is mounted here; may be none
  former_versions former = former_versions::forgotten;

  [[nodiscard]] receive_tools images() const;
};

/// What to bring in.
struct receive_request {
  wanted_image what;
  std::optional<mountable_image> known;  ///< an interrupted delivery goes on with exactly this
};

struct receiver_state {
  static inline const char* name = "receiver";
  receiver_report report;
  std::optional<mountable_image> image;
  std::shared_ptr<segment_reader> reader;  ///< once the contents of `image` are known
  std::optional<redelivery> damaged;
  error failure;  ///< of a failed delivery
  std::unordered_map<content_id, std::uint32_t>
      numbers;  ///< of the image's contents, once another delivery has stored something
  /// Before the tree that they belong to.
  std::optional<std::pair<toc_frame, caf::typed_response_promise<verdict>>> early_contents;
  /// Before their TOC.
  std::vector<std::pair<incoming_segment, caf::typed_response_promise<verdict>>> early;
  std::set<caf::actor_addr> instances;  ///< weak: they hold this actor
  std::vector<caf::typed_response_promise<mountable_image>> mountable_waiters;
  std::vector<caf::typed_response_promise<receiver_report>> complete_waiters;
  std::set<caf::actor_addr> listeners;
  std::uint64_t bytes_since_checkpoint = 0;
  bool checkpoint_running = false;
  bool pull_running = false;
  std::chrono::steady_clock::time_point pull_failed{};           ///< the last one, for a reason that may pass
  std::optional<std::chrono::steady_clock::time_point> pull_at;  ///< then again
  bool counted = false;   ///< in this pull as many bytes have been stored as it brings
  bool all_sent = false;  ///< the hub says so of this pull
  bool ticking = false;
  std::uint32_t steps = 0;  ///< that workers carry out for the delivery
  bool rests = false;       ///< receiver_rests has been told
  std::vector<std::function<void()>> once_awake;
  std::uint32_t fruitless_completions = 0;  ///< the hub said "complete", but contents were missing
  std::chrono::steady_clock::time_point started;
  std::chrono::steady_clock::time_point checkpointed;
  std::chrono::steady_clock::time_point rate_since;
  std::uint64_t rate_bytes = 0;  ///< report.bytes_received at `rate_since`
};

/// Starts to pull at once. Ends on an exit message only.
image_receiver::behavior_type make_image_receiver(image_receiver::stateful_pointer<receiver_state> self,
                                                  receive_request request, receiver_tools tools);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::receiver_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::delivery_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::start_sent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::version_replaced)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::receiver_rests)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::wake_receiver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::receiver_awake)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::mountable_image)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::brought_otherwise)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::await_mountable)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::await_complete)
