#include "actors/hub/dense_packer.hpp"

#include <spdlog/spdlog.h>

namespace firstlight {
namespace {

using self_pointer = dense_packer::stateful_pointer<dense_packer_state>;

struct shell {
  self_pointer self;
  std::shared_ptr<const dense_packer_tools> tools;

  [[nodiscard]] dense_packer_state& state() const { return self->state; }
};

void wait(const shell& my, const order_learned& news) {
  auto& newest = my.state().orders[news.toc];
  if (newest.outdated) newest.outdated->store(true);
  newest = {++my.state().generation, news.order, std::make_shared<std::atomic<bool>>(false)};
  my.self->delayed_send(my.self, my.tools->packing.limits.after, order_settled{news.toc, newest.generation});
}

void end(const shell& my, const order_settled& which, const result<std::uint32_t>& packed) {
  const auto image = which.toc.value.hex().substr(0, 12);
  if (packed && *packed > 0)
    spdlog::info("the {} segments of image {} that starts read first are packed anew", *packed, image);
  else if (!packed && packed.error().code != errc::cancelled && packed.error().code != errc::not_found)
    spdlog::warn("image {} is not packed anew: {}", image, to_string(packed.error()));
  auto& orders = my.state().orders;
  const auto newest = orders.find(which.toc);
  if (newest != orders.end() && newest->second.generation == which.generation) orders.erase(newest);
}

void pack(const shell& my, const order_settled& which) {
  const auto newest = my.state().orders.find(which.toc);
  if (newest == my.state().orders.end() || newest->second.generation != which.generation) return;
  run_on(
      my.tools->workers.next(), my.self,
      [tools = my.tools, which, order = newest->second.order, outdated = newest->second.outdated] {
        return pack_image_densely(tools->packing, which.toc, *order, *outdated);
      },
      [my, which](const result<std::uint32_t>& packed) { end(my, which, packed); });
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
