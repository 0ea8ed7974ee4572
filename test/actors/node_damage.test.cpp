#include <catch2/catch.hpp>

#include "test/actors/root_bench.hpp"

/// What users do about records of a node that cannot be read.
using namespace firstlight;

TEST_CASE(
    "a damaged record of an image is evicted by its name, without contents, and the next pull is anew") {
  root_bench all;
  const content_info content{.id = {}, .size = 5};
  REQUIRE(all.node.contents->write(content, 0, std::as_bytes(std::span(std::string_view("bytes")))));
  all.put_record();
  all.damage_record();
  const auto command = "firstlight evict example.com/app:1 --platform " + all.name.platform;
  CHECK(all.has_notice(command));

  const auto gone = all.admin<admin_evicted>(admin_evict{.reference = root_bench::image});
  REQUIRE(gone);
  REQUIRE(gone->references.size() == 1);
  CHECK(gone->references.front().find("example.com/app:1 (its record could not be read") == 0);
  CHECK(gone->bytes == 0);
  CHECK_FALSE(all.is_here());
  CHECK_FALSE(all.has_notice(command));
  CHECK(all.node.contents->state(content.id) == content_state::complete);
  CHECK(all.admin<admin_evicted>(admin_evict{.reference = root_bench::image}).error().code ==
        errc::not_found);
  all.pull(make_client(all.stage));
  CHECK(all.link->pulls.size() == 1);
}

TEST_CASE(
    "a damaged record of an image is not evicted while images arrive, nor because containerd gives up") {
  root_bench all;
  SECTION("something arrives") {
    all.pull(make_client(all.stage));
    all.damage_record();
    CHECK(all.admin<admin_evicted>(admin_evict{.reference = root_bench::image}).error().code == errc::busy);
  }
  SECTION("containerd has no snapshot of it") {
    REQUIRE(all.node.catalogue->hold_for_containerd(all.name));
    all.damage_record();
    CHECK(all.forget().error().code == errc::corrupt);
  }
  SECTION("all images are to go") {
    all.damage_record();
    const auto gone = all.admin<admin_evicted>(admin_evict{});
    REQUIRE(gone);
    CHECK(gone->references.empty());
  }
  CHECK(all.node.catalogue->unreadable().value().size() == 1);
}

TEST_CASE("a damaged record of a layer is removed by the name that status says, and its files stay") {
  root_bench all([](node_stores& node) {
    std::filesystem::create_directories(node.folder.path() / "layers" / "rw-0");
    REQUIRE(node.metadata->put({"layer"}, std::string("\0\0\0\0\0\0\0\1", 8), "no message"));
  });
  const std::string command = "firstlight layer rm 'layer 1'";
  CHECK(all.has_notice(command));
  const auto gone = all.admin<admin_layer>(admin_layer_remove{"layer 1"});
  REQUIRE(gone);
  CHECK(gone->key == "layer 1");
  CHECK(gone->path == (all.node.folder.path() / "layers" / "rw-0").string());
  CHECK(std::filesystem::is_directory(gone->path));
  CHECK_FALSE(all.has_notice(command));
  CHECK(all.admin<admin_layer>(admin_layer_remove{"layer 1"}).error().code == errc::not_found);
}

TEST_CASE(
    "a damaged snapshot is removed by the name that status says, and the answer says where its files are") {
  root_bench all([](node_stores& node) {
    std::filesystem::create_directories(node.folder.path() / "snapshots" / "7" / "fs");
    REQUIRE(node.metadata->put({"snapshot"}, "default/1/it's", "no message"));
  });
  serve_snapshots(all);
  const std::string command = R"(firstlight layer rm 'snapshot default/1/it'\''s')";
  CHECK(all.has_notice(command));
  CHECK(all.admin<admin_layer>(admin_layer_remove{"default/1/it's"}).error().code == errc::not_found);
  const auto gone = all.admin<admin_layer>(admin_layer_remove{"snapshot default/1/it's"});
  REQUIRE(gone);
  CHECK(gone->path == (all.node.folder.path() / "snapshots" / "dropped-1").string());
  CHECK(std::filesystem::is_directory(std::filesystem::path(gone->path) / "7" / "fs"));
  CHECK_FALSE(all.has_notice(command));
  CHECK(all.admin<admin_layer>(admin_layer_remove{"snapshot default/1/it's"}).error().code ==
        errc::not_found);
}

TEST_CASE("a layer's files go with it unless they are to be kept, and the answer says which") {
  const bool kept = GENERATE(false, true);
  root_bench all;
  const auto made = all.admin<admin_layer>(admin_layer_register{.key = "work"}).value();
  const auto gone = all.admin<admin_layer>(admin_layer_remove{"work", kept}).value();
  CHECK(gone.key == "work");
  CHECK(gone.path == (kept ? made.path : ""));
  CHECK(std::filesystem::exists(made.path) == kept);
}
