#pragma once
#include <catch2/catch.hpp>

#include "actors/node/image_receiver.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"

/// What tests of receivers share.
namespace firstlight {

inline const std::string received_name = "example.com/app:1";

/// What the node's root is told.
struct told_root {
  std::vector<std::string> starts_sent;
  std::uint32_t ended = 0;
  std::uint32_t rests = 0;           ///< how often the delivery began to rest
  std::uint32_t asked_to_write = 0;  ///< how often it wanted to go on
  bool lets_write = true;
};
inline caf::behavior observe(caf::event_based_actor*, std::shared_ptr<told_root> told) {
  return {[told](const start_sent& news) { told->starts_sent.push_back(news.reference); },
          [told](const delivery_ended&) { ++told->ended; }, [told](const receiver_rests&) { ++told->rests; },
          [](const version_replaced&) {},
          [told](const wake_receiver&) -> caf::result<receiver_awake> {
            ++told->asked_to_write;
            if (!told->lets_write) return to_caf({errc::cancelled, "it ends"});
            return receiver_awake{};
          }};
}

/// Whether its steps are carried out when they come, or only when the test says so.
enum class step_pace : std::uint8_t { at_once, held };

/// A receiver with real stores; the test plays the hub by hand.
struct receiver_bench {
  test_authority authority;
  hub_stores hub{authority};
  node_stores node{authority};
  known_image image = hub.add(received_name, some_layer());
  std::shared_ptr<fake_hub_link> link = std::make_shared<fake_hub_link>();
  std::shared_ptr<receiver_group> group = std::make_shared<receiver_group>();
  std::shared_ptr<told_instance> told = std::make_shared<told_instance>();
  std::shared_ptr<told_root> root = std::make_shared<told_root>();
  actor_stage stage;
  hub_link far = make_fake_hub_link(stage, link);
  actor_stage::held_worker held = stage.hold_work();  ///< does the steps of a delivery that is `held`
  image_receiver receiver;
  caf::actor instance;
  std::vector<toc_frame> packed_toc;  ///< its tree and its contents
  std::optional<prepared_delivery> prepared;

  explicit receiver_bench(std::optional<mountable_image> known = std::nullopt,
                          step_pace pace = step_pace::at_once) {
    const auto workers = pace == step_pace::held
                             ? worker_pool(std::vector<worker>{caf::actor_cast<worker>(held)})
                             : stage.workers();
    receiver = stage.keep(stage.system().spawn(
        make_image_receiver, receive_request{{received_name, host_platform().text()}, std::move(known)},
        receiver_tools{*node.catalogue, *node.contents, node.anchor, far, workers, stage.workers(),
                       node.limits, stage.keep(stage.system().spawn(observe, root)),
                       std::make_shared<std::atomic<std::uint64_t>>(0), group}));
    instance = make_listening_instance(stage, told);
    caf::anon_send(receiver, caf::subscribe_atom_v, instance);
    stage.run();
  }
  ~receiver_bench() {
    link->pulls.clear();
    link->joining.clear();
    link->self = nullptr;
    instance = nullptr;
    receiver = nullptr;
    held = nullptr;
    far = nullptr;
  }

  /// Prepares the latest pull, as its hub would.
  void prepare() {
    const auto& pull = link->pulls.back().request;
    packed_toc = prepare_toc(hub.preparation(), image, pull, 1'700'000'000).value();
    prepared = prepare_delivery(hub.preparation(), image, pull);
  }
  /// Prepares it and says that it has started.
  void start() {
    REQUIRE_FALSE(link->pulls.empty());
    prepare();
    link->answer(prepared->started);
  }
  [[nodiscard]] std::uint64_t delivery() const { return link->pulls.back().request.delivery; }
  verdict give_toc(const toc_frame& toc) {
    auto answer = stage.ask<verdict>(receiver, incoming_toc{delivery(), toc});
    stage.run();
    REQUIRE(*answer);
    return (*answer)->value();
  }
  verdict give_tree() { return give_toc(packed_toc.at(0)); }
  verdict give_contents() { return give_toc(packed_toc.at(1)); }
  void give_toc() {
    CHECK_FALSE(give_tree().failure);
    CHECK_FALSE(give_contents().failure);
  }
  segment build(std::uint32_t which) {
    return hub.builder->build(which, prepared->plan->segments[which], *prepared->contents).value();
  }
  verdict give(const segment& data) {
    auto answer = stage.ask<verdict>(receiver, incoming_segment{delivery(), data});
    stage.run();
    REQUIRE(*answer);
    return (*answer)->value();
  }
  void give_all(std::uint32_t from = 0) {
    for (auto i = from; i < prepared->plan->segments.size(); ++i) CHECK_FALSE(give(build(i)).failure);
  }
  void pass_landmark(landmark mark) {
    caf::anon_send(receiver, incoming_landmark{delivery(), mark});
    stage.run();
  }
  void change_link(link_state now, const std::string& why = {}) {
    caf::anon_send(receiver, link_changed{now, why});
    stage.run();
  }
  void want_blocks_of(std::uint32_t content) {
    caf::anon_send(receiver, want_blocks{{{content, 0, 1}}});
    stage.run();
  }
  receiver_report report() {
    auto answer = stage.ask<receiver_report>(receiver, caf::get_atom_v);
    stage.run();
    return (*answer)->value();
  }
};

}  // namespace firstlight
