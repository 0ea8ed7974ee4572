#include <future>

#include "actors/errors.hpp"
#include "test/containerd/remote_bench.hpp"

/// What calls that are answered at the same time must not do to each other. Their messages come in order.
namespace firstlight {
namespace {

template <class Reply, class Response>
result<Reply> answer_of(Response& asked) {
  result<Reply> outcome = fail(errc::io, "no answer");
  asked.receive([&](const Reply& reply) { outcome = reply; },
                [&](const caf::error& problem) { outcome = tl::unexpected(from_caf(problem)); });
  return outcome;
}

/// So many files that a removal has not ended when the next message is handled.
void fill(const std::filesystem::path& files) {
  for (int folder = 0; folder < 100; ++folder) {
    const auto inside = files / std::to_string(folder);
    REQUIRE(std::filesystem::create_directory(inside));
    for (int file = 0; file < 50; ++file) std::ofstream(inside / std::to_string(file)) << "x";
  }
}

}  // namespace

TEST_CASE("who waits for the mount of an image has it, though another who waited for it fails first") {
  if (!may_mount()) return;
  std::promise<void> may_answer;
  const auto released = may_answer.get_future().share();
  remote_bench all;
  all.prepare_all();
  {
    const std::lock_guard lock(all.root->mutex);
    all.root->answers = [&all, released](const admin_request& request) {
      if (std::holds_alternative<admin_mount_request>(request)) released.wait();
      return all.answer(request);
    };
  }
  const auto top = all.chain[1].oci();
  const caf::scoped_actor self{all.bench.system()};
  const auto prepare = [&](const std::string& key, const std::string& parent) {
    return self->request(all.bench.actor(), caf::infinite,
                         make_snapshot{snapshot_kind::active, key, parent, {}});
  };
  auto first = prepare("one", top);
  auto second = prepare("two", top);
  auto quicker = prepare("one", "");  // needs no image, and so it has the name first
  CHECK(answer_of<snapshot_mount_list>(quicker).has_value());
  may_answer.set_value();
  const auto refused = answer_of<snapshot_mount_list>(first);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::already_exists);
  CHECK(answer_of<snapshot_mount_list>(second).has_value());
  REQUIRE(all.bench.mounts("two").ok());  // which would mount an image that is not mounted any more
  CHECK(all.mounts() == 1);
  CHECK(all.umounts() == 0);
  REQUIRE(all.bench.remove("two").ok());
  CHECK(eventually([&] { return all.umounts() == 1; }));
}

TEST_CASE("a clean-up leaves the files of a snapshot that is being removed to its removal") {
  snapshots_bench bench;
  REQUIRE(bench.prepare("large").ok());
  fill(bench.snapshots_folder() / "1/fs");
  const caf::scoped_actor self{bench.system()};
  auto removal = self->request(bench.actor(), caf::infinite, remove_snapshot{"large"});
  auto cleaning = self->request(bench.actor(), caf::infinite, clean_snapshots{});
  CHECK(answer_of<snapshots_cleaned>(cleaning).has_value());
  CHECK(answer_of<snapshots_cleaned>(removal).has_value());
  CHECK(std::filesystem::is_empty(bench.snapshots_folder()));
}

TEST_CASE("files of a snapshot that is being removed are not set aside for one whose record is damaged") {
  snapshots_bench bench;
  REQUIRE(bench.prepare("damaged").ok());
  REQUIRE(bench.prepare("large").ok());
  fill(bench.snapshots_folder() / "2/fs");
  bench.stop();
  REQUIRE(bench.metadata().put({"snapshot"}, "damaged", "no message"));
  bench.restart();
  const caf::scoped_actor self{bench.system()};
  auto removal = self->request(bench.actor(), caf::infinite, remove_snapshot{"large"});
  auto forgetting = self->request(bench.actor(), caf::infinite, forget_snapshot_record{"damaged"});
  const auto forgotten = answer_of<record_forgotten>(forgetting);
  CHECK(answer_of<snapshots_cleaned>(removal).has_value());
  REQUIRE(forgotten.has_value());
  CHECK(std::filesystem::exists(forgotten->files / "1/fs"));
  CHECK_FALSE(std::filesystem::exists(forgotten->files / "2"));
}

}  // namespace firstlight
