#include "actors/hub/trace_aggregator.hpp"

#include <spdlog/spdlog.h>

#include "actors/hub/believed_trace.hpp"
#include "schemas/trace_codec.hpp"
#include "storage/image_relatives.hpp"

namespace firstlight {
namespace {

using self_pointer = trace_aggregator::stateful_pointer<aggregator_state>;

struct shell {
  self_pointer self;
  std::shared_ptr<const aggregator_tools> tools;

  [[nodiscard]] aggregator_state& state() const { return self->state; }
};

void note_refusal(const shell& my, const std::string& node, const error& why) {
  auto& status = my.state().status;
  ++status.refused;
  status.refusals.insert(status.refusals.begin(), (node.empty() ? "" : node + ": ") + to_string(why));
  if (status.refusals.size() > my.tools->options.refusals_shown_max) status.refusals.pop_back();
  spdlog::warn("a trace of {} is refused: {}", node.empty() ? "this machine" : node, to_string(why));
}

void learn_soon(const shell& my, const toc_id& image) {
  my.state().changed.insert(image);
  if (std::exchange(my.state().ticking, true)) return;
  my.self->delayed_send(my.self, my.tools->options.gather_time, caf::tick_atom_v);
}

// ---- other hubs --------------------------------------------------------------------------------

bool has_news(const shell& my, const ids_question& asked) {
  return asked.epoch != my.state().epoch || asked.position < my.state().known.size();
}

ids_answer ids_since(const shell& my, const ids_question& asked) {
  const auto& known = my.state().known;
  const auto from =
      asked.epoch == my.state().epoch ? std::min<std::uint64_t>(asked.position, known.size()) : 0;
  const auto to = std::min<std::uint64_t>(from + my.tools->options.peer_ids_max, known.size());
  return {
      my.state().epoch,
      to,
      to == known.size(),
      {known.begin() + static_cast<std::ptrdiff_t>(from), known.begin() + static_cast<std::ptrdiff_t>(to)}};
}

void answer_waiting(const shell& my, waiting_peer&& one) {
  auto ids = ids_since(my, one.asked);
  ids.waited = true;
  one.reply.deliver(peer_answer{share(encode_reply(ids))});
}

void tell_waiting(const shell& my) {
  for (auto& [which, one] : std::exchange(my.state().waiting, {})) answer_waiting(my, std::move(one));
}

void end_waiting(const shell& my, std::uint64_t which) {
  if (auto over = my.state().waiting.extract(which)) answer_waiting(my, std::move(over.mapped()));
}

std::chrono::milliseconds longest_wait(const shell& my, const ids_question& asked) {
  return std::min(asked.wait, my.tools->options.peer_wait);
}

caf::result<peer_answer> wait_for_news(const shell& my, const ids_question& asked) {
  auto& state = my.state();
  const auto reply = my.self->make_response_promise<peer_answer>();
  state.waiting.emplace(state.next_waiting, waiting_peer{asked, reply});
  my.self->delayed_send(my.self, longest_wait(my, asked), peer_wait_over{state.next_waiting++});
  return reply;
}

caf::result<peer_answer> answer_ids(const shell& my, const ids_question& asked) {
  const bool waits = longest_wait(my, asked).count() > 0 && !has_news(my, asked) &&
                     my.state().waiting.size() < my.tools->options.peers_waiting_max;
  if (waits) return wait_for_news(my, asked);
  return peer_answer{share(encode_reply(ids_since(my, asked)))};
}

caf::result<peer_answer> answer_peer(const shell& my, const peer_question& question) {
  const auto asked = decode_inquiry(question.encoded.bytes);
  if (!asked) return to_caf(asked.error());
  if (const auto* ids = std::get_if<ids_question>(&*asked)) return answer_ids(my, *ids);
  const auto found = my.tools->traces.find(std::get<trace_question>(*asked).id);
  if (!found) return to_caf(found.error());
  return peer_answer{
      share(encode_reply(trace_answered{*found ? encode_trace(**found) : std::vector<std::byte>()}))};
}

// ---- traces ------------------------------------------------------------------------------------

result<trace_kept> keep(const shell& my, const trace_report& report) {
  const auto recorded = believed_trace(*my.tools, report);
  if (!recorded) {
    note_refusal(my, report.node, recorded.error());
    return tl::unexpected(recorded.error());
  }
  const auto added = my.tools->traces.add(*recorded);
  if (!added) return tl::unexpected(added.error());
  if (*added == trace_store::outcome::known) {
    ++my.state().status.repeated;
    return trace_kept{};
  }
  ++my.state().status.received;
  my.state().known.push_back(recorded->id);
  tell_waiting(my);
  if (*added == trace_store::outcome::dropped) return trace_kept{};
  for (const auto& listener : my.state().listeners) caf::anon_send(listener, trace_added{recorded->id});
  learn_soon(my, recorded->toc);
  return trace_kept{};
}

// ---- learning ----------------------------------------------------------------------------------

void log_damage(const error& of_a_trace) {
  spdlog::warn("a stored trace is left out: {}", to_string(of_a_trace));
}

/// A trace that was believed when its image was not there yet.
struct unfit_trace {
  trace_id id;
  std::string node;
  error why;
};

/// An order, and whether another one was used before.
struct learned_anew {
  stored_order order;
  bool changed = false;
  std::vector<unfit_trace> unfit{};
};

result<learned_anew> learn_anew(learn_tools tools, const toc_id& image) {
  std::vector<unfit_trace> unfit;
  tools.unfit = [&](const trace& one, const error& why) { unfit.push_back({one.id, one.node, why}); };
  const auto before = tools.catalogue.order(image);
  auto now = learn_image(tools, image);
  if (!now) return tl::unexpected(now.error());
  const bool changed = !before || *before != *now;
  return learned_anew{std::move(*now), changed, std::move(unfit)};
}

learn_tools tools_of(const aggregator_tools& tools) {
  return {tools.catalogue, tools.traces, tools.options, log_damage, tools.stop, tools.contents, {}};
}

void refuse_unfit(const shell& my, const learned_anew& learned) {
  for (const auto& one : learned.unfit)
    if (my.state().unfit.insert(one.id).second) note_refusal(my, one.node, one.why);
}

void publish(const shell& my, const toc_id& image, const learned_anew& learned) {
  if (!learned.changed) return;
  ++my.state().status.learned;
  spdlog::info("image {} is delivered in an order of {} traces", image.value.hex().substr(0, 12),
               learned.order.traces);
  const order_learned news{image, std::make_shared<const stored_order>(learned.order)};
  for (const auto& listener : my.state().listeners) caf::anon_send(listener, news);
}

/// Whether that is done. An image that is still to come is settled too: it is learned when it is added.
bool settle(const shell& my, const toc_id& image, const result<learned_anew>& learned) {
  my.state().learning.erase(image);
  if (learned) refuse_unfit(my, *learned);
  if (learned) publish(my, image, *learned);
  if (learned || learned.error().code == errc::not_found) return true;
  if (learned.error().code != errc::cancelled)
    spdlog::error("the order of an image is not learned: {}", to_string(learned.error()));
  return false;
}

/// `then` is told whether that is done.
template <class Then>
void learn(const shell& my, const toc_id& image, Then then) {
  run_on(
      my.tools->workers.next(), my.self,
      [tools = my.tools, image] { return learn_anew(tools_of(*tools), image); },
      [my, image, then](const result<learned_anew>& learned) { then(settle(my, image, learned)); });
}

void note_learned(const shell& my, const toc_id& image) {
  if (my.state().changed.contains(image) || my.state().learning.contains(image)) return;  // it has new traces
  if (auto noted = my.tools->traces.learned(image); !noted)
    spdlog::warn("an image is learned once more after a restart: {}", to_string(noted.error()));
}

void follow(const shell& my);

/// Leaders count as learned once their followers are known as such, so that none is lost by a restart.
result<void> take_followers(const shell& my, const std::set<toc_id>& leaders,
                            const result<std::vector<toc_id>>& found) {
  if (!found) return tl::unexpected(found.error());
  const std::set<toc_id> followers(found->begin(), found->end());
  my.state().following.insert(followers.begin(), followers.end());
  if (auto kept = my.tools->traces.to_learn(followers); !kept) return kept;
  for (const auto& leader : leaders) note_learned(my, leader);
  return {};
}

bool is_empty(const shell& my, const toc_id& image) {
  const auto stamps = my.tools->traces.stamps(image);
  return stamps && stamps->empty();
}

/// One that has traces, or all that have lost theirs: whose orders came from those is found in one pass.
struct next_leaders {
  std::set<toc_id> images;
  bool emptied = false;
};

next_leaders take_leaders(const shell& my) {
  auto& leading = my.state().leading;
  next_leaders next{{leading.extract(leading.begin()).value()}};
  next.emptied = is_empty(my, *next.images.begin());
  if (!next.emptied) return next;
  for (const auto& image : leading)
    if (is_empty(my, image)) next.images.insert(image);
  for (const auto& image : next.images) leading.erase(image);
  return next;
}

void find_followers(const shell& my, const next_leaders& leaders) {
  my.state().searching = true;
  run_on(
      my.tools->workers.next(), my.self,
      [tools = my.tools, leaders] {
        return leaders.emptied ? bereft_by(tools_of(*tools), leaders.images)
                               : followers_of(tools_of(*tools), *leaders.images.begin());
      },
      [my, leaders](const result<std::vector<toc_id>>& followers) {
        my.state().searching = false;
        const auto taken = take_followers(my, leaders.images, followers);
        if (!taken && taken.error().code != errc::cancelled)
          spdlog::warn("images without traces may not be learned: {}", to_string(taken.error()));
        follow(my);
      });
}

/// Images that take the traces of others are learned again when these have new ones: one after another, when
/// no image with new traces of its own is being learned.
void follow(const shell& my) {
  auto& state = my.state();
  if (!state.learning.empty() || state.searching) return;
  if (!state.following.empty()) {
    const auto image = state.following.extract(state.following.begin()).value();
    state.learning.insert(image);
    learn(my, image, [my, image](bool done) {
      if (done) note_learned(my, image);
      follow(my);
    });
  } else if (!state.leading.empty())
    find_followers(my, take_leaders(my));
}

std::set<toc_id> images_of(const std::vector<image_record>& records) {
  std::set<toc_id> images;
  for (const auto& record : records) images.insert(record.toc);
  return images;
}

/// Traces of images that nobody can start here are kept within a limit. Others may have learned from them.
void trim_orphans(const shell& my) {
  const auto records = my.tools->catalogue.list_whole();
  const auto gone = records ? my.tools->traces.trim_orphans(images_of(*records), my.tools->options.orphans)
                            : tl::unexpected(records.error());
  if (!gone) return spdlog::warn("traces of unknown images are not removed: {}", to_string(gone.error()));
  if (gone->traces == 0) return;
  spdlog::info("{} traces of images that are not here are removed", gone->traces);
  my.state().changed.insert(gone->images.begin(), gone->images.end());
}

/// Peers go through all ids again after some are forgotten: positions have changed.
void list_anew(const shell& my, std::uint32_t forgotten) {
  if (forgotten == 0) return;
  auto left = my.tools->traces.known();
  if (!left) return spdlog::warn("forgotten traces stay listed: {}", to_string(left.error()));
  my.state().known = std::move(*left);
  ++my.state().epoch;
  tell_waiting(my);
}

/// What had no room while images were not here may come again from other hubs, once they are. The catalogue
/// is gone through once for all of them.
void let_return(const shell& my, std::set<toc_id> images) {
  if (images.empty()) return;
  const auto records = my.tools->catalogue.list();
  if (!records) return spdlog::warn("traces that had no room stay away: {}", to_string(records.error()));
  const auto here = images_of(*records);
  std::erase_if(images, [&](const toc_id& image) { return !here.contains(image); });
  const auto returning = my.tools->traces.let_return(images);
  if (!returning) return spdlog::warn("traces that had no room stay away: {}", to_string(returning.error()));
  list_anew(my, *returning);
}

void forget_old_removals(const shell& my) {
  auto& state = my.state();
  const auto now = my.tools->now();
  if (now - state.forgotten_at < my.tools->options.forget_interval) return;
  state.forgotten_at = now;
  const auto forgotten = my.tools->traces.forget_old_removals();
  if (!forgotten) return spdlog::warn("old removed traces stay known: {}", to_string(forgotten.error()));
  list_anew(my, *forgotten);
}

void learn_changed(const shell& my) {
  auto& state = my.state();
  state.ticking = false;
  trim_orphans(my);
  let_return(my, std::exchange(state.looked_after, {}));
  forget_old_removals(my);
  for (const auto& image : std::exchange(state.changed, {})) {
    if (state.learning.insert(image).second)
      learn(my, image, [my, image](bool done) {
        if (done) my.state().leading.insert(image);
        follow(my);
      });
    else
      learn_soon(my, image);  // once more, when that is done
  }
}

/// An image that has come, or whose traces have changed.
void look_after(const shell& my, const toc_id& image) {
  my.state().looked_after.insert(image);
  learn_soon(my, image);
}

/// What an earlier process had no time for.
void learn_what_was_left(const shell& my) {
  if (auto images = my.tools->traces.had_no_room()) let_return(my, std::move(*images));
  my.state().forgotten_at = my.tools->now();
  const auto left = my.tools->traces.unlearned();
  if (!left) return spdlog::error("traces may not be learned from: {}", to_string(left.error()));
  for (const auto& image : *left) learn_soon(my, image);
}

}  // namespace

trace_aggregator::behavior_type make_trace_aggregator(self_pointer self, aggregator_tools tools) {
  const shell my{self, std::make_shared<const aggregator_tools>(std::move(tools))};
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  my.state().epoch = my.tools->epoch;
  if (auto known = my.tools->traces.known())
    my.state().known = std::move(*known);
  else
    spdlog::error("traces of earlier processes do not reach other hubs: {}", to_string(known.error()));
  learn_what_was_left(my);
  return {
      [=](const trace_report& report) -> caf::result<trace_kept> {
        auto kept = keep(my, report);
        if (!kept) return to_caf(kept.error());
        return *kept;
      },
      [=](const peer_question& question) { return answer_peer(my, question); },
      [=](const learn_again& image) { look_after(my, image.toc); },
      [=](caf::subscribe_atom, const caf::actor& listener) { my.state().listeners.push_back(listener); },
      [=](caf::get_atom) { return my.state().status; },
      [=](caf::tick_atom) { learn_changed(my); },
      [=](const peer_wait_over& over) { end_waiting(my, over.which); },
  };
}

}  // namespace firstlight
