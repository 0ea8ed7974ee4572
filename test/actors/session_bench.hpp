#pragma once
#include <catch2/catch.hpp>
#include <map>

#include "actors/hub/node_session.hpp"
#include "storage/segment_reader.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"
#include "test/harness/node/test_image.hpp"
#include "test/harness/tar_builder.hpp"

namespace firstlight {

using namespace std::chrono_literals;

inline const std::string image_name = "example.com/app:1";
inline const std::string other_image_name = "example.com/side:1";

/// Has the large files of `some_layer`, and one of its own.
inline std::string larger_layer() {
  tar_builder tar;
  tar.file("alone", patterned_bytes(300'000, 77), 0644);
  tar.file("program", patterned_bytes(700'000, 1), 0755);
  tar.file("library", patterned_bytes(1'500'000, 2), 0644);
  return tar.take();
}

using named_images = std::map<std::string, known_image>;

/// Knows one image by whatever name, and others by their own.
inline image_library::behavior_type library_of(image_library::pointer, known_image image,
                                               std::shared_ptr<const named_images> others,
                                               std::shared_ptr<std::function<void()>> while_resolving) {
  return {
      [=](const resolve_image& asked, const pull_listener&) {
        if (*while_resolving) (*while_resolving)();
        const auto found = others->find(asked.reference);
        return found == others->end() ? image : found->second;
      },
      [](caf::get_atom) { return library_status{}; },
      [](const remove_image&) { return image_removed{}; },
      [](const ingestion_status&) {},
      [](const removal_overdue&) {},
      [](const turns_due&) {},
  };
}
inline pull_listener::behavior_type deaf_listener(pull_listener::pointer) {
  return {[](const incoming_progress&) {}};
}

inline hub_plan_limits small_segments(std::uint64_t window_bytes) {
  hub_plan_limits limits;
  limits.cut.first_segment_bytes = limits.cut.segment_bytes_max = 128 * 1024;
  limits.delivery.want_segment_bytes = 128 * 1024;
  limits.credit.window_bytes_start = limits.credit.window_bytes_min = limits.credit.window_bytes_max =
      window_bytes;
  return limits;
}

/// A session with a real store; the test plays the node's end of the link by hand.
struct session_bench {
  test_authority authority;
  hub_stores hub{authority};
  known_image image = hub.add(image_name, some_layer());
  known_image other = hub.add(other_image_name, larger_layer());
  std::shared_ptr<named_images> others =
      std::make_shared<named_images>(named_images{{other_image_name, other}});
  std::shared_ptr<fake_node_link> link = std::make_shared<fake_node_link>();
  actor_stage stage;
  node_link far = make_fake_node_link(stage, link);
  pull_listener listener = stage.keep(stage.system().spawn(deaf_listener));
  std::shared_ptr<std::function<void()>> while_resolving = std::make_shared<std::function<void()>>();
  std::shared_ptr<warmup_turns> turns = std::make_shared<warmup_turns>();
  actor_stage::held_worker held = stage.hold_work();
  reporting_session session;
  std::vector<std::uint64_t> beside;  ///< of the pull of the other image

  /// What waits for the test to finish it.
  enum class held_back { nothing, builds, plans, tocs_and_plans };

  /// A window of one byte lets one segment go at a time.
  explicit session_bench(std::uint64_t window_bytes = 1, held_back what = held_back::nothing) {
    const auto library = stage.keep(stage.system().spawn(library_of, image, others, while_resolving));
    session = stage.keep(stage.system().spawn(
        make_node_session, session_peer{"n1", "10.0.0.7"}, far,
        session_tools{library, trace_aggregator{}, hub.preparation(), *hub.builder,
                      pool(what == held_back::tocs_and_plans),
                      pool(what == held_back::plans || what == held_back::tocs_and_plans),
                      pool(what == held_back::builds), small_segments(window_bytes), turns}));
  }
  ~session_bench() {
    link->lose_all();
    link->toc_replies.clear();
    link->self = nullptr;
    session = nullptr;
    held = nullptr;
    listener = nullptr;
    far = nullptr;
  }

  /// Starts a delivery and answers its TOC.
  pull_started start(std::uint64_t delivery = 1) {
    const pull_request request{delivery, image_name, host_platform().text(), {}, std::nullopt};
    auto started = stage.ask<pull_started>(session, request, listener);
    stage.run();
    REQUIRE(*started);
    REQUIRE(link->tocs.size() == 2);
    link->answer_toc();
    return (*started)->value();
  }
  /// Starts a delivery of the other image beside.
  pull_started start_other() { return start_beside(2, other_image_name); }
  pull_started start_beside(std::uint64_t delivery, const std::string& name) {
    const pull_request request{delivery, name, host_platform().text(), {}, std::nullopt, beside};
    auto started = stage.ask<pull_started>(session, request, listener);
    stage.run();
    REQUIRE(*started);
    link->answer_toc();
    return (*started)->value();
  }
  worker_pool pool(bool by_hand) { return by_hand ? worker_pool({held}) : stage.workers(); }
  void answer(const verdict& with = {}) { link->answer(with); }
  void answer_all() {
    while (!link->in_flight.empty()) answer();
  }
  template <class Message>
  void send(const Message& what) {
    caf::anon_send(session, what);
    stage.run();
  }
  session_report report() {
    auto report = stage.ask<session_report>(session, caf::get_atom_v);
    stage.run();
    return (*report)->value();
  }
  std::size_t running_deliveries() { return report().deliveries.size(); }
  [[nodiscard]] bool passed(landmark mark, std::uint64_t delivery = 1) const {
    return std::any_of(link->landmarks.begin(), link->landmarks.end(), [&](const outgoing_landmark& one) {
      return one.mark == mark && one.delivery == delivery;
    });
  }
  /// Bytes that have left, unpacked, of one delivery.
  [[nodiscard]] std::uint64_t sent_bytes(std::uint64_t delivery) const {
    std::uint64_t bytes = 0;
    for (const auto& sent : link->segments)
      if (sent.delivery == delivery) bytes += sent.data.bytes;
    return bytes;
  }
  /// A block of the largest file, far from its begin.
  [[nodiscard]] static block_run late_block(const toc_view& toc) {
    for (std::uint32_t i = 0; i < toc.content_count(); ++i)
      if (const auto size = toc.content(i).size; size > 1'000'000)
        return {i, toc.geometry().count(size) - 1, 1};
    return {};
  }
};

inline bool carries(const segment& data, const block_run& block) {
  return std::any_of(data.runs.begin(), data.runs.end(), [&](const block_run& run) {
    return run.content == block.content && run.first <= block.first && block.first - run.first < run.count;
  });
}

}  // namespace firstlight
