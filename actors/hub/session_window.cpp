#include "actors/hub/session_shell.hpp"

namespace firstlight::detail {
namespace {

void try_later(const session_shell& my) {
  my.self->delayed_send(my.self, my.tools->limits.warmup.start_after, caf::tick_atom_v);
}

/// What the warm-up has measured serves whoever comes now.
void leave_warmup(const session_shell& my) {
  auto& state = my.state();
  state.warmup_turn.reset();
  state.credit.seed(state.warmup->bytes_per_second(), state.warmup->round_trip(), my.now());
  if (state.warmup->conclusive()) state.credit.settle();
}

/// Padding would stand before what a neighbour on the same link is sent: it is gone on with when that is
/// done.
bool yields(const session_shell& my) {
  auto& state = my.state();
  if (state.warmup->over() || !my.tools->turns->in_use(my.host)) return false;
  state.warmup->stop();
  leave_warmup(my);
  state.warmup.reset();
  try_later(my);
  return true;
}

void warm(const session_shell& my) {
  const auto warmup = my.state().warmup;
  if (!warmup || yields(my)) return;
  while (const auto bytes = warmup->next(my.now())) {
    my.state().totals.padding_bytes += *bytes;
    my.self->request(my.link, caf::infinite, outgoing_padding{*bytes})
        .then(
            [my, warmup, bytes = *bytes](const delivered& answer) {
              warmup->answered(bytes, answer.elapsed, my.now());
              my.state().credit.seed(answer.bandwidth, answer.round_trip, my.now());
              warm(my);
            },
            [warmup](const caf::error&) { warmup->stop(); });
  }
  if (warmup->over()) leave_warmup(my);
}

}  // namespace

void attached(const session_shell& my, const bulk_attached& news) {
  my.state().totals.bulk = news;
  my.state().credit.connections(news.connections);
  my.state().credit.seed(0, news.round_trip, my.now());
  my.state().credit.packet_round_trip(news.round_trip);
  if (my.state().warmup || !my.state().deliveries.empty()) return;
  try_later(my);
}

void start_warmup(const session_shell& my) {
  if (my.state().warmup) return;
  my.state().warmup_turn = my.tools->turns->take(my.host);
  if (!my.state().warmup_turn) return try_later(my);
  my.state().warmup = std::make_shared<warmup>(my.tools->limits.warmup, my.now());
  warm(my);
}

void end_warmup(const session_shell& my) {
  auto& mine = my.state().warmup;
  if (!mine) mine = std::make_shared<warmup>(my.tools->limits.warmup, my.now());
  if (mine->over()) return;
  mine->stop();
  leave_warmup(my);
}

}  // namespace firstlight::detail
