#include <sys/eventfd.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "test/fuse_bridge/keeper_fixture.hpp"

using namespace firstlight;

namespace {

shared_bytes record_of(const std::string& target) {
  mount_record record{.target = target};
  return share(encode_mount_record(record));
}

const shared_bytes init = share({std::byte{1}, std::byte{2}});

file_descriptor new_device() {
  return file_descriptor(eventfd(0, EFD_CLOEXEC));
}

/// A device stands for itself: what is written at one end is read at the other.
bool same_device(int a, int b) {
  const std::uint64_t said = 41;
  std::uint64_t heard = 0;
  return write(a, &said, sizeof said) == sizeof said && read(b, &heard, sizeof heard) == sizeof heard &&
         heard == said;
}

}  // namespace

TEST_CASE("the next node gets what the last one has let its keeper hold") {
  keeper_fixture all;
  const auto device = new_device();
  {
    auto first = *all.open();
    CHECK(first->take_kept().empty());
    first->keep("gone", record_of("/gone"), init, new_device().get());
    first->keep("redis", record_of("/former"), init, new_device().get());
    first->keep("redis", record_of("/srv/redis"), init, device.get());
    first->drop("gone");
  }
  for (int again = 0; again < 2; ++again) {
    auto next = *all.open();
    const auto kept = next->take_kept();
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].name == "redis");
    CHECK(kept[0].record.target == "/srv/redis");
    CHECK(kept[0].session.init.bytes.size() == 2);
    CHECK(same_device(device.get(), kept[0].session.device->get()));
    if (again == 1) next->drop("redis");
  }
  CHECK(all.started == 1);
  CHECK(all.end() == 0);
  CHECK_FALSE(exists(all.socket));
}

TEST_CASE("a keeper whose node leaves nothing behind ends before the node does") {
  keeper_fixture all;
  { auto node = *all.open(); }
  CHECK(all.end() == 0);
  auto next = *all.open();
  CHECK(all.started == 2);
}

TEST_CASE("two nodes cannot have the same keeper") {
  keeper_fixture all;
  auto first = *all.open();
  const auto second = all.open();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::busy);
  CHECK(all.started == 1);
  first->keep("redis", record_of("/srv"), init, new_device().get());
  first.reset();
  CHECK((*all.open())->take_kept().size() == 1);
}

TEST_CASE("a keeper gives mounts up when no node comes in time") {
  keeper_fixture all({.takeover_wait = std::chrono::milliseconds(50)});
  {
    auto node = *all.open();
    node->keep("redis", record_of("/srv"), init, new_device().get());
    node->keep("nginx", record_of("/web"), init, new_device().get());
  }
  CHECK(all.end() == 2);
  CHECK_FALSE(exists(all.socket));
}

TEST_CASE("a keeper that was killed is replaced, and the next one holds the same") {
  keeper_fixture all;
  auto first = *all.open();
  const auto device = new_device();
  first->keep("redis", record_of("/srv"), init, device.get());
  first->keep("gone", record_of("/tmp"), init, new_device().get());
  first->drop("gone");
  kill(all.process->pid(), SIGKILL);
  REQUIRE(eventually([&] { return all.started == 2; }));
  first->keep("nginx", record_of("/web"), init, new_device().get());
  CHECK(first->problem().empty());
  first.reset();
  auto next = *all.open();
  const auto kept = next->take_kept();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].name == "nginx");
  CHECK(kept[1].name == "redis");
  CHECK(same_device(device.get(), kept[1].session.device->get()));
  CHECK(all.started == 2);
}

TEST_CASE("a keeper that cannot be replaced is a problem that shows, until it can") {
  keeper_fixture all({.restart_interval = std::chrono::milliseconds(20)});
  auto node = *all.open();
  const auto device = new_device();
  node->keep("redis", record_of("/srv"), init, device.get());
  all.refused = true;
  kill(all.process->pid(), SIGKILL);
  REQUIRE(eventually([&] { return !node->problem().empty(); }));
  CHECK(node->problem().find("no more processes") != std::string::npos);
  all.refused = false;
  REQUIRE(eventually([&] { return node->problem().empty(); }));
  node.reset();
  CHECK((*all.open())->take_kept().size() == 1);
}

TEST_CASE("a record that this version does not understand is dropped") {
  keeper_fixture all;
  (*all.open())->keep("odd", init, init, new_device().get());
  CHECK((*all.open())->take_kept().empty());
  CHECK(all.end() == 0);
}

TEST_CASE("a keeper's socket is for its owner alone") {
  keeper_fixture all;
  auto node = *all.open();
  struct stat file {};
  REQUIRE(stat(all.socket.c_str(), &file) == 0);
  CHECK((file.st_mode & 07777U) == 0600);
}

TEST_CASE("a run folder that is too long for a socket is named") {
  keeper_fixture all;
  all.socket = all.folder.path() / std::string(120, 'x');
  const auto opened = all.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == errc::invalid_argument);
}
