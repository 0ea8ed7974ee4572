#pragma once
#include "actors/hub/node_session.hpp"

/// The parts of a node session: what they share, and what each does. Internal to actors/hub/.
namespace firstlight::detail {

/// What every step needs; cheap to copy into continuations.
struct session_shell {
  reporting_session::stateful_pointer<session_state> self;
  std::string host;
  node_link link;
  std::shared_ptr<const session_tools> tools;

  [[nodiscard]] session_state& state() const { return self->state; }
  [[nodiscard]] instant now() const { return self->clock().now(); }
};

[[nodiscard]] inline running_delivery* find(const session_shell& my, std::uint64_t id) {
  const auto entry = my.state().deliveries.find(id);
  return entry == my.state().deliveries.end() ? nullptr : &entry->second;
}

// ---- the window (session_window.cpp) -----------------------------------------------------------

/// A bulk connection is there: it is warmed up soon, unless something is sent before.
void attached(const session_shell& my, const bulk_attached& news);

/// Padding would stand before the first table of contents: not when a pull has come meanwhile.
void start_warmup(const session_shell& my);

/// Useful bytes take over from padding: from the moment that they are asked for.
void end_warmup(const session_shell& my);

// ---- segments (node_session.cpp) ---------------------------------------------------------------

/// Sends and builds what credit allows.
void pump(const session_shell& my);

/// Ends a delivery without its landmarks, and concludes those that have borrowed from it. @returns whether it
/// ran
bool end_delivery(const session_shell& my, std::uint64_t id);

/// Ends a delivery; the node is told that nothing more comes, so that its readers do not wait for ever.
void give_up(const session_shell& my, std::uint64_t id, const error& why);

/// Passes the landmarks that have been reached, and ends a delivery that has brought all.
void conclude(const session_shell& my, std::uint64_t id);

/// Takes credit for what leaves now; `answered` gives it back.
std::uint64_t take_credit(const session_shell& my, const part_received& part, std::uint64_t bytes);
void answered(const session_shell& my, const part_received& part, std::uint64_t token);

// ---- pulls (session_pulls.cpp) -----------------------------------------------------------------

/// Looks an image up, sends its TOC, plans and starts its delivery, and answers.
[[nodiscard]] caf::result<pull_started> take_pull(const session_shell& my, const pull_request& request,
                                                  const pull_listener& listener);

/// Plans what has not left of this image anew.
void learn(const session_shell& my, const order_learned& news);

/// Moves what a reader waits for to the front, in whichever delivery brings it.
void take_want(const session_shell& my, const want& wanted);

}  // namespace firstlight::detail
