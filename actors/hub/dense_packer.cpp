#include "actors/hub/dense_packer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "storage/sha256.hpp"

namespace firstlight {
namespace {

using self_pointer = dense_packer::stateful_pointer<dense_packer_state>;

struct shell {
  self_pointer self;
  std::shared_ptr<const dense_packer_tools> tools;

  [[nodiscard]] dense_packer_state& state() const { return self->state; }
};

/// Equal if starts are expected to read the same, in the same order.
digest reads_of(const stored_order& order) {
  sha256_stream sum;
  const auto expected = std::span(order.runs).first(order.guessed);
  sum.update(std::as_bytes(expected));
  return sum.finish();
}

void wait(const shell& my, const order_learned& news) {
  const auto& limits = my.tools->packing.limits;
  auto& image = my.state().images[news.toc];
  const auto reads = reads_of(*news.order);
  if (image.generation != 0 && image.reads == reads) return;
  const auto now = my.self->clock().now();
  if (!image.since) image.since = now;
  image.reads = reads;
  image.next = news.order;
  image.generation = ++my.state().generation;
  const auto latest = *image.since + limits.after_at_most - now;
  const auto delay = std::clamp<caf::actor_clock::duration_type>(latest, {}, limits.after);
  my.self->delayed_send(my.self, delay, order_settled{news.toc, image.generation});
}

/// An image that could not be packed is tried again with the next order, even if that is equal.
void end(const shell& my, const order_settled& which, const result<std::uint32_t>& packed) {
  const auto image = which.toc.value.hex().substr(0, 12);
  if (packed) {
    if (*packed > 0)
      spdlog::info("{} segments of image {} that starts read first are smaller now", *packed, image);
    return;
  }
  const auto known = my.state().images.find(which.toc);
  if (known != my.state().images.end() && known->second.generation == which.generation)
    my.state().images.erase(known);
  const auto why = packed.error().code;
  if (why != errc::cancelled && why != errc::not_found && why != errc::not_ready)
    spdlog::warn("image {} is not packed anew: {}", image, to_string(packed.error()));
}

void pack(const shell& my, const order_settled& which) {
  const auto image = my.state().images.find(which.toc);
  if (image == my.state().images.end() || image->second.generation != which.generation) return;
  image->second.since.reset();
  run_on(
      my.tools->workers.next(), my.self,
      [tools = my.tools, which, order = std::exchange(image->second.next, nullptr)] {
        return pack_image_densely(tools->packing, which.toc, *order);
      },
      [my, which](const result<std::uint32_t>& packed) { end(my, which, packed); });
}

}  // namespace

dense_packer::behavior_type make_dense_packer(self_pointer self, dense_packer_tools tools) {
  const shell my{self, std::make_shared<const dense_packer_tools>(std::move(tools))};
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  return {
      [=](const order_learned& news) { wait(my, news); },
      [](const trace_added&) {},
      [=](const order_settled& which) { pack(my, which); },
  };
}

}  // namespace firstlight
