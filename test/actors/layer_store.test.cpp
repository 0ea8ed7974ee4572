#include "actors/node/layer_store.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include "actors/errors.hpp"
#include "actors/node/node_shell.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

struct deterministic_config : caf::actor_system_config {
  deterministic_config() { set("scheduler.policy", caf::atom("testing")); }
};

struct layer_store_fixture {
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path() / "db").value();
  std::unique_ptr<layer_registry> registry = layer_registry::open(folder.path() / "store", *metadata).value();
  std::int64_t clock = 100;
  deterministic_config config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  caf::scoped_actor self{system};
  layer_store store =
      system.spawn(make_layer_store, layer_store_tools{registry.get(), [this] { return clock; }});

  layer_store_fixture() { scheduler.run(); }
  ~layer_store_fixture() {
    caf::anon_send_exit(store, caf::exit_reason::user_shutdown);
    store = nullptr;
    scheduler.run();
  }

  /// Asks and runs everything; the answer, or the error as the product sees it.
  template <class Answer, class Request>
  result<Answer> ask(Request request) {
    auto pending = self->request(store, caf::infinite, std::move(request));
    scheduler.run();
    result<Answer> outcome = fail(errc::io, "no answer");
    pending.receive([&](const Answer& answer) { outcome = answer; },
                    [&](const caf::error& problem) { outcome = tl::unexpected(from_caf(problem)); });
    return outcome;
  }
  result<void> remove(remove_layer request) {
    auto pending = self->request(store, caf::infinite, request);
    scheduler.run();
    result<void> outcome;
    pending.receive([] {}, [&](const caf::error& problem) { outcome = tl::unexpected(from_caf(problem)); });
    return outcome;
  }
};

}  // namespace

TEST_CASE_METHOD(layer_store_fixture,
                 "the layer store registers, finds, completes, lists and removes layers") {
  const auto added = ask<layer_record>(register_layer{indexed_place{"snap"}, layer_access::writable}).value();
  CHECK(added.name == "snap-0");
  CHECK(added.created_at == 100);
  CHECK(ask<layer_record>(find_layer{added.id}).value() == added);
  CHECK(ask<layer_record>(find_layer{std::string("snap-0")}).value() == added);
  CHECK(ask<layer_record>(find_layer{std::filesystem::path(added.path)}).value() == added);
  clock = 200;
  CHECK(ask<layer_record>(complete_layer{added.id})->used_at == 200);
  CHECK(ask<layer_record>(label_layer{added.id, {{"key", "value"}}})->labels.size() == 1);
  CHECK(ask<layer_list>(list_layers{})->layers.size() == 1);
  REQUIRE(remove({added.id, layer_files::remove}));
  CHECK(ask<layer_list>(list_layers{})->layers.empty());
}

TEST_CASE_METHOD(layer_store_fixture, "the layer store answers with the registry's errors and goes on") {
  CHECK(ask<layer_record>(find_layer{layer_id{7}}).error().code == errc::not_found);
  CHECK(ask<layer_record>(register_layer{relative_place{"../escape"}}).error().code ==
        errc::invalid_argument);
  const auto added = ask<layer_record>(register_layer{relative_place{"a"}}).value();
  CHECK(ask<layer_record>(register_layer{relative_place{"a"}}).error().code == errc::already_exists);
  CHECK(ask<layer_record>(acquire_layer{added.id})->references == 1);
  CHECK(remove({added.id}).error().code == errc::busy);
  CHECK(ask<layer_record>(release_layer{added.id})->references == 0);
  CHECK(remove({added.id}).has_value());
}

TEST_CASE_METHOD(layer_store_fixture, "the layer store forgets nothing that could be read") {
  const auto added = ask<layer_record>(register_layer{relative_place{"a"}}).value();
  CHECK(ask<record_forgotten>(forget_layer_record{"a"}).error().code == errc::not_found);
  CHECK(ask<record_forgotten>(forget_layer_record{"layer 1"}).error().code == errc::not_found);
  CHECK(ask<layer_record>(find_layer{added.id}).value() == added);
}

TEST_CASE_METHOD(layer_store_fixture,
                 "a layer left by a mount that cannot be removed keeps no node from starting") {
  const std::vector<layer_label> of_a_mount{{"firstlight.unnamed-mount", "gone"}};
  // Nothing in there can be removed, by nobody.
  const auto stuck =
      registry->add({.place = absolute_place{"/proc/self/fd"}, .labels = of_a_mount, .now = 1}).value();
  const auto left = registry->add({.place = indexed_place{"rw"}, .labels = of_a_mount, .now = 1}).value();
  CHECK(detail::remove_left_layers(*registry, {}));
  CHECK(registry->find(stuck.id));
  CHECK_FALSE(registry->find(left.id));
  CHECK_FALSE(std::filesystem::exists(left.path));
}
