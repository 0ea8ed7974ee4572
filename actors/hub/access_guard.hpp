#pragma once
#include <caf/all.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <vector>

#include "actors/worker.hpp"
#include "config/access_options.hpp"
#include "model/fair_queue.hpp"
#include "model/image_reference.hpp"
#include "model/registry_login.hpp"

namespace firstlight {

/// May this node read this image of a registry by this login?
struct check_access {
  image_reference image;
  shared_login login;  ///< to its registry; none: without any
  std::string node;
  /// An interrupted delivery that is to go on. Once allowed, it may without asking again for a while: a node
  /// that has started anew may have lost its login.
  std::optional<toc_id> going_on;
};
struct access_granted {};

/// A delivery of this table of contents to this node has been allowed, and begins.
struct delivery_allowed {
  std::string node;
  toc_id toc;
};

/// One that an earlier process has allowed.
struct kept_delivery {
  delivery_allowed what;
  std::chrono::seconds ago{0};
};

/// ACCESS GUARD: asks registries who may read what, and remembers for a while what they say. Secrets stay in
/// memory; what is remembered is a hash.
using access_guard = caf::typed_actor<
    // Errors: `denied`, `not_found`: it may not; `unavailable`, `timed_out` when the registry is away and has
    // not allowed it lately; `busy` when too many wait.
    caf::replies_to<check_access>::with<access_granted>, caf::reacts_to<delivery_allowed>>;

/// What the guard works with.
struct access_guard_tools {
  access_options options;
  /// Asks the registry; blocks. Errors: `denied` and `not_found` are its answer "no".
  std::function<result<void>(const image_reference&, const shared_login&)> ask;
  worker_pool askers;
  /// Makes an allowed delivery outlive this process, and those that did; none: they do not.
  std::function<void(const delivery_allowed&)> keep{};
  std::vector<kept_delivery> kept{};
};

/// Whose questions wait for one answer of a registry.
using access_promises = std::vector<caf::typed_response_promise<access_granted>>;

/// A question that a registry is or will be asked.
struct access_question {
  access_key key;
  image_reference image;
  shared_login login;
};

struct access_guard_state {
  static inline const char* name = "access-guard";
  std::optional<access_cache> cache;
  std::map<access_key, access_promises> open;
  std::optional<fair_queue<access_question>> questions;  ///< by the registry's host
  std::vector<worker> idle;                              ///< those that ask nobody now
  std::uint32_t waiting = 0;
};

access_guard::behavior_type make_access_guard(access_guard::stateful_pointer<access_guard_state> self,
                                              access_guard_tools tools);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::check_access)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::access_granted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::delivery_allowed)
