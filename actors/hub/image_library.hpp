#pragma once
#include <limits>

#include "actors/hub/access_guard.hpp"
#include "actors/interfaces.hpp"
#include "actors/worker.hpp"
#include "config/hub_options.hpp"
#include "model/fair_queue.hpp"
#include "model/instant.hpp"
#include "model/room_refusals.hpp"
#include "model/sweep_turns.hpp"
#include "storage/add_image.hpp"
#include "storage/sweep_due.hpp"

namespace firstlight {

/// An image that the hub can deliver.
struct known_image {
  image_record record;
  std::shared_ptr<const toc_view> toc;
  std::shared_ptr<const stored_order> order;
  bool last_known = false;  ///< the source was away: the last known meaning
  std::string last_error;   ///< why it was away
};

/// The node that asks, and how it would log in to the image's registry.
struct image_caller {
  std::string node;
  shared_login login;
};

/// Whether the source is asked.
enum class source_look : std::uint8_t {
  when_due,  ///< when the image is not known, or its tag was looked up too long ago
  now,       ///< always, but for a digest that is known
};

/// "What does this mean now?"
struct resolve_image {
  std::string reference;
  std::string platform;        ///< empty: the hub's own
  std::string name;            ///< under which it is kept; empty: as the reference says
  std::uint64_t delivery = 0;  ///< goes into the progress messages
  std::optional<toc_id> toc;   ///< exactly this one if it is known: an interrupted delivery goes on
  std::optional<image_caller>
      caller{};  ///< who must be allowed to read it; none: the hub's own administrator
  source_look look = source_look::when_due;
};

struct ingestion_status {
  std::string reference;
  std::string platform;
  pull_progress progress;
  std::chrono::milliseconds elapsed{0};
};

/// What the library knows, for status and listings.
struct library_status {
  std::vector<image_record> images;
  std::vector<ingestion_status> ingestions;
  std::vector<known_image> last_known;  ///< images whose source was away at the last look; no TOC filled in
  std::vector<unreadable_record> unreadable;  ///< images that are not served
};

struct remove_image {
  std::string reference;
  std::string platform;
};
struct image_removed {};

/// To itself: a removal has waited for too long.
struct removal_overdue {
  turn_number number = 0;
};

/// To itself: by now others may have a turn, though nothing has ended.
struct turns_due {
  instant at{};
};

/// IMAGE LIBRARY: the hub's one place that knows images. Looks tags up, ingests what is new (each
/// image once, however many ask), removes images and then what no image needs.
///
/// Ingestions and sweeps run on workers, so that it answers meanwhile. A sweep never takes what an ingestion
/// counts on: only ingestions find or store contents that no record names yet, and only they and removals
/// change what records name. `sweep_turns` says who begins when: so many ingestions as there are workers for
/// them, or one sweep, and says why no removal keeps all that are pulled waiting, nor they the removal. An
/// ingestion that begins after a sweep sees what is left: layers whose contents have gone are read again
/// (ingest.hpp). None needs another one to end. What a stop leaves of a removal goes at the next start.
///
/// Answers from records, looks whether a tag still means what is known, and deliveries need no turn: a sweep
/// keeps all that a record names, and a look does not bring back a record that has been removed meanwhile. So
/// only images that are new wait.
using image_library = caf::typed_actor<
    // Errors: those of add_image and of the access guard (when a store is full, what the image had brought
    // goes again, and for some time it is not fetched); a source that is away is no error while the image is
    // known. Such a one is asked for a node again when `tag_check_interval` has passed; for the hub's own
    // administrator at once. So is any source with `source_look::now`.
    caf::replies_to<resolve_image, pull_listener>::with<known_image>,
    caf::replies_to<caf::get_atom>::with<library_status>,
    // Answers when its contents are gone too. Errors: `not_found`; `busy` if its turn has not come within
    // `removal_wait`; `corrupt` if the image is removed but contents stay (sweep_contents).
    caf::replies_to<remove_image>::with<image_removed>,
    // From its own ingestion workers, and from itself.
    caf::reacts_to<ingestion_status>, caf::reacts_to<removal_overdue>, caf::reacts_to<turns_due>>;

/// What the library works with. The stores outlive it.
struct library_tools {
  image_catalogue& catalogue;
  content_store& contents;
  layer_cache& layers;
  source_options source;
  static_order_limits order_limits;
  trace_store& traces;
  const learning_options& learning;
  std::chrono::milliseconds tag_check_interval{60'000};
  std::shared_ptr<std::atomic<bool>> stop;  ///< set before the library's workers are ended
  access_guard guard{};                     ///< none: whoever is in the cluster may read all images
  std::uint64_t store_bytes_max = 0;        ///< of contents; images that need more are refused; 0: no limit
  std::function<void(const toc_id&)> traced{};      ///< as add_image_tools has it
  room_refusal_limits refusals{};                   ///< of images that had no room below store_bytes_max
  std::optional<worker_pool> sweepers{};            ///< who removes contents; none: those who ingest
  std::chrono::milliseconds removal_wait{600'000};  ///< of a removal, until its turn
  std::optional<sweep_due> due{};  ///< none: what a stop leaves of a removal goes with the next one
  std::chrono::milliseconds removal_patience{60'000};  ///< as in `turn_limits`
  std::chrono::milliseconds removal_hold{30'000};      ///< likewise
  std::optional<worker_pool> lookers{};  ///< who looks at tags, one each at a time; none: those who ingest
  std::uint32_t looks_per_host_max = std::numeric_limits<std::uint32_t>::max();  ///< at once; above 0
};

struct library_state;
image_library::behavior_type make_image_library(image_library::stateful_pointer<library_state> self,
                                                library_tools tools, worker_pool workers);

/// One question that several may have asked.
struct library_question {
  struct asker {
    caf::typed_response_promise<known_image> reply;
    pull_listener listener;
    std::uint64_t delivery = 0;
  };
  std::vector<asker> askers;
  ingestion_status status;
  std::chrono::steady_clock::time_point since;
};

/// An image whose source was away at the last look.
struct last_known_image {
  known_image image;  ///< no TOC filled in
  instant found_away;
};

/// A removal that has not begun.
struct waiting_removal {
  std::pair<std::string, std::string> where;  ///< name and platform
  caf::typed_response_promise<image_removed> reply;
};

/// What is to be done with a worker that is idle.
using idle_work = std::function<void(const worker&)>;

/// An addition that has not begun.
struct waiting_addition {
  std::pair<std::string, std::string> where;  ///< name and platform
  idle_work begin;
};

struct library_state {
  static inline const char* name = "image-library";
  std::map<std::pair<std::string, std::string>, library_question> open;  ///< by name and platform
  std::map<std::pair<std::string, std::string>, last_known_image> last_known;
  room_refusals refusals;  ///< by `asked_of` (image_library.cpp)
  sweep_turns turns;
  std::map<turn_number, waiting_addition> additions;  ///< those that wait for their turns
  std::map<turn_number, waiting_removal> removals;    ///< likewise; each goes when it is overdue
  std::optional<instant> turns_due_at;                ///< of the message that is on its way
  std::vector<worker> idle_ingesters;                 ///< as many as there are places for additions
  std::optional<fair_queue<idle_work>> looks;         ///< by the registry's host
  std::vector<worker> idle_lookers;                   ///< as many as that has places
};

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::known_image)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::resolve_image)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::ingestion_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::library_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::remove_image)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::image_removed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::removal_overdue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::turns_due)
