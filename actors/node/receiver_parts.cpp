#include <spdlog/spdlog.h>

#include "actors/node/receiver_shell.hpp"

namespace firstlight::detail {
namespace {

verdict cancelled() {
  return {error{errc::cancelled, "the delivery has ended"}};
}

// ---- segments ----------------------------------------------------------------------------------

/// Other images may have the same contents, and their deliveries do without them.
void tell_others(const receiver_shell& my, const std::vector<block_run>& runs, bool out_of_turn) {
  const auto others = my.tools->group->others(my.self->address());
  if (others.empty()) return;
  std::vector<stored_elsewhere::run> named;
  for (const auto& run : runs)
    named.push_back({my.state().image->toc->content(run.content).id, run.first, run.count});
  const stored_elsewhere news{std::make_shared<const std::vector<stored_elsewhere::run>>(std::move(named)),
                              out_of_turn};
  for (const auto& other : others) caf::anon_send(other, news);
}

void on_stored(const receiver_shell& my, std::vector<block_run> runs, bool out_of_turn) {
  if (runs.empty()) return;
  auto& state = my.state();
  const auto bytes = bytes_of(*state.image->toc, runs);
  state.report.bytes_stored += bytes;
  state.bytes_since_checkpoint += bytes;
  state.damaged->arrived(runs);
  tell_others(my, runs, out_of_turn);
  tell_instances(my,
                 blocks_ready{std::make_shared<const std::vector<block_run>>(std::move(runs)), out_of_turn});
  if (state.bytes_since_checkpoint >= my.tools->limits.checkpoint_bytes) checkpoint(my);
  conclude_by_count(my);
}

/// The hub repeats what is refused, until it or this side gives the blocks up.
void on_refused(const receiver_shell& my, const std::vector<block_run>& runs, const error& why) {
  spdlog::warn("blocks of {} refused: {}", my.request->what.reference, to_string(why));
  my.report().problem = to_string(why);
  const bool damaged = why.code == errc::corrupt || why.code == errc::not_ready;
  my.report().verification_failures += damaged ? 1 : 0;
  const auto given_up = damaged ? my.state().damaged->damaged(runs).given_up : runs;
  if (given_up.empty()) return;
  tell_instances(my, blocks_failed{given_up, why});
  fail_delivery(my, why);
}

verdict on_read(const receiver_shell& my, const segment& data, result<segment_outcome> outcome) {
  if (!outcome) {
    on_refused(my, data.runs, outcome.error());
    return {outcome.error()};
  }
  on_stored(my, std::move(outcome->stored), data.out_of_turn);
  if (outcome->failed.empty()) return {};
  std::vector<block_run> failed;
  for (const auto& one : outcome->failed) failed.push_back(one.run);
  on_refused(my, failed, outcome->failed.front().why);
  return {outcome->failed.front().why};
}

void read_segment(const receiver_shell& my, const incoming_segment& incoming,
                  caf::typed_response_promise<verdict> reply) {
  ++my.report().segments_received;
  my.report().bytes_received += incoming.data.frame.bytes.size();
  run_step(
      my, my.tools->workers.next(),
      [reader = my.state().reader, data = incoming.data] { return reader->read(data); },
      [my, data = incoming.data, reply](result<segment_outcome> outcome) mutable {
        reply.deliver(on_read(my, data, std::move(outcome)));
      });
}

// ---- the table of contents ---------------------------------------------------------------------

void keep_contents_of(const receiver_shell& my, const toc_frame& frame,
                      caf::typed_response_promise<verdict> reply) {
  run_step(
      my, my.tools->workers.next(),
      [tools = my.tools, image = *my.state().image, frame] {
        return keep_contents(tools->images(), image, frame);
      },
      [my, reply](const result<void>& kept) mutable {
        reply.deliver(kept ? verdict{} : verdict{kept.error()});
        if (kept)
          use_contents(my);
        else
          fail_delivery(my, kept.error());
      });
}

void store_tree_of(const receiver_shell& my, const mountable_image& image,
                   caf::typed_response_promise<verdict> reply) {
  run_step(
      my, my.tools->keepers.next(), [tools = my.tools, image] { return store_tree(tools->images(), image); },
      [my, reply](const result<void>& stored) mutable {
        reply.deliver(stored ? verdict{} : verdict{stored.error()});
        if (!stored) fail_delivery(my, stored.error());
      });
}

/// Mounts have it before its file is written: nothing of a mount needs that.
void take_tree(const receiver_shell& my, const toc_frame& frame, caf::typed_response_promise<verdict> reply) {
  run_step(
      my, my.tools->workers.next(),
      [tools = my.tools, request = my.request, frame, mounted_next = !my.state().mountable_waiters.empty()] {
        auto with = tools->images();
        if (mounted_next) with.plans = tools->plans.get();
        return open_received_tree(with, request->what, frame);
      },
      [my, reply](const result<mountable_image>& image) mutable {
        if (!image) {
          reply.deliver(verdict{image.error()});
          return fail_delivery(my, image.error());
        }
        adopt(my, *image);
        if (my.report().phase == delivery_phase::failed)
          reply.deliver(cancelled());
        else
          store_tree_of(my, *image, std::move(reply));
      });
}

}  // namespace

void checkpoint(const receiver_shell& my) {
  auto& state = my.state();
  if (std::exchange(state.checkpoint_running, true)) return;
  state.bytes_since_checkpoint = 0;
  state.checkpointed = my.now();
  run_on(
      my.tools->keepers.next(), my.self, [tools = my.tools] { return tools->contents.checkpoint(); },
      [my](const result<void>& done) {
        my.state().checkpoint_running = false;
        if (!done) my.report().problem = to_string(done.error());
      });
}

void take_segment(const receiver_shell& my, const incoming_segment& incoming,
                  caf::typed_response_promise<verdict> reply) {
  auto& state = my.state();
  if (state.rests || state.report.phase == delivery_phase::failed)
    reply.deliver(cancelled());
  else if (state.reader)
    read_segment(my, incoming, std::move(reply));
  else if (state.early.size() < my.tools->limits.early_segments_max)
    state.early.emplace_back(incoming, std::move(reply));
  else
    reply.deliver(verdict{error{errc::limit_exceeded, "early_segments_max: the TOC is late"}});
}

void use_contents(const receiver_shell& my) {
  auto& state = my.state();
  if (state.reader || !state.image->toc->contents_known()) return;
  state.reader = std::make_shared<segment_reader>(my.tools->contents, state.image->toc);
  tell_instances(my, contents_known{});
  for (auto& [early, reply] : std::exchange(state.early, {})) read_segment(my, early, reply);
  conclude_by_count(my);
}

void adopt(const receiver_shell& my, mountable_image image) {
  auto& state = my.state();
  if (state.image && state.image->record.toc != image.record.toc)
    return fail_delivery(my, {errc::protocol, "the hub goes on with another image than the interrupted one"});
  if (!state.image) state.image = std::move(image);  // else its mounts use what is there
  state.report.toc = state.image->record.toc;
  if (!state.damaged) state.damaged.emplace(my.tools->limits.damaged_attempts_max);
  if (state.report.phase == delivery_phase::resolving) state.report.phase = delivery_phase::receiving;
  for (auto& waiter : std::exchange(state.mountable_waiters, {})) waiter.deliver(*state.image);
  if (auto early = std::exchange(state.early_contents, {}))
    keep_contents_of(my, early->first, std::move(early->second));
  use_contents(my);
}

void take_toc(const receiver_shell& my, const toc_frame& frame, caf::typed_response_promise<verdict> reply) {
  if (my.state().rests || my.report().phase == delivery_phase::failed) {
    reply.deliver(cancelled());
    return;
  }
  my.report().bytes_received += frame.frame.bytes.size();
  if (frame.part == toc_part::tree) return take_tree(my, frame, std::move(reply));
  if (my.state().image) return keep_contents_of(my, frame, std::move(reply));
  if (auto replaced = std::exchange(my.state().early_contents, {{frame, std::move(reply)}}))
    replaced->second.deliver(
        verdict{error{errc::protocol, "the contents of a TOC came twice before its tree"}});
}

}  // namespace firstlight::detail

namespace firstlight {

receive_tools receiver_tools::images() const {
  return {
      catalogue, contents, authority, limits, nullptr, former, [to = observer](const version_replaced& news) {
        if (to) caf::anon_send(to, news);
      }};
}

}  // namespace firstlight
