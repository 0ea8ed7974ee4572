#include "actors/hub/dense_packer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace firstlight {
namespace {

using self_pointer = dense_packer::stateful_pointer<dense_packer_state>;

struct shell {
  self_pointer self;
  std::shared_ptr<const dense_packer_tools> tools;

  [[nodiscard]] dense_packer_state& state() const { return self->state; }
};

/// Whether starts are expected to read the same in both, in the same order.
bool alike(const stored_order& a, const stored_order& b) {
  return std::ranges::equal(std::span(a.runs).first(a.guessed), std::span(b.runs).first(b.guessed));
}

void wait(const shell& my, const order_learned& news) {
  const auto& limits = my.tools->packing.limits;
  auto& image = my.state().images[news.toc];
  if (image.newest && alike(*image.newest, *news.order)) return;
  const auto now = my.self->clock().now();
  if (!image.since) image.since = now;
  image.newest = news.order;
  image.generation = ++my.state().generation;
  const auto latest = *image.since + limits.after_at_most - now;
  const auto delay = std::clamp<caf::actor_clock::duration_type>(latest, {}, limits.after);
  my.self->delayed_send(my.self, delay, order_settled{news.toc, image.generation});
}

void report(const order_settled& which, const result<std::uint32_t>& packed) {
  const auto image = which.toc.value.hex().substr(0, 12);
  const auto gone = [](errc why) {
    return why == errc::cancelled || why == errc::not_found || why == errc::not_ready;
  };
  if (packed && *packed > 0)
    spdlog::info("{} segments of image {} that starts read first are smaller now", *packed, image);
  if (!packed && !gone(packed.error().code))
    spdlog::warn("image {} is not packed anew: {}", image, to_string(packed.error()));
}

void pack(const shell& my, const order_settled& which) {
  auto& image = my.state().images[which.toc];
  if (image.generation != which.generation) return;
  image.since.reset();
  run_on(
      my.tools->workers.next(), my.self,
      [tools = my.tools, which, order = image.newest] {
        return pack_image_densely(tools->packing, which.toc, *order);
      },
      [which](const result<std::uint32_t>& packed) { report(which, packed); });
}

}  // namespace

dense_packer::behavior_type make_dense_packer(self_pointer self, dense_packer_tools tools) {
  const shell my{self, std::make_shared<const dense_packer_tools>(std::move(tools))};
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  return {
      [=](const order_learned& news) { wait(my, news); },
      [](const trace_added&) {},
      [=](const order_settled& which) { pack(my, which); },
  };
}

}  // namespace firstlight
