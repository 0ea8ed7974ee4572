#include "storage/add_image.hpp"

#include <catch2/catch.hpp>

#include "test/harness/layout_builder.hpp"
#include "test/harness/tar_builder.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

/// The stores of a hub, and an image of two files to take in.
struct adding_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path() / "metadata").value();
  std::unique_ptr<content_store> contents = content_store::open(folder.path(), *metadata, {}, 64).value();
  std::unique_ptr<image_catalogue> catalogue = image_catalogue::open(folder.path(), *metadata).value();
  std::unique_ptr<layer_cache> layers = make_layer_cache(*metadata);
  source_options source;
  static_order_limits order_limits;
  learning_options learning;
  std::unique_ptr<trace_store> traces = trace_store::open(*metadata, learning.kept).value();
  std::function<void(const pull_progress&)> progress = [](const pull_progress&) {};

  adding_bench() {
    write_layout(folder.path() / "layout", {tar_builder().file("a", "one").file("b", "two").take()});
  }
  [[nodiscard]] add_image_tools tools() const {
    return {*catalogue, *contents, *layers, source, order_limits, *traces, learning};
  }
  [[nodiscard]] add_image_request request() const {
    const auto layout = "oci:" + (folder.path() / "layout").string() + ":latest";
    return {.reference = parse_image_reference(layout).value(),
            .wanted = host_platform(),
            .name = "app:1",
            .now = 1'700'000'000,
            .progress = progress,
            .stop = nullptr};
  }
  result<image_record> add() { return add_image(tools(), request()); }
  /// As a checkpoint that fails does with what is not durable yet.
  void lose_one() {
    std::optional<content_id> one;
    contents->for_each([&](const content_info& content, content_state) { one = content.id; });
    REQUIRE(one);
    REQUIRE(contents->remove(*one));
  }
};

}  // namespace

TEST_CASE("an image of which a failing disk takes something away while it is added is not known as added") {
  adding_bench bench;
  bench.progress = [&](const pull_progress& news) {
    if (news.stage.find("guessing the order") != std::string::npos) bench.lose_one();
  };
  CHECK(bench.add().error().code == errc::io);
  CHECK(bench.catalogue->list().value().empty());
  bench.progress = [](const pull_progress&) {};
  const auto record = bench.add();
  REQUIRE(record);
  CHECK(holds_all(*bench.contents, *bench.catalogue->toc(record->toc).value()));
}

TEST_CASE("an image of which the store has lost something is taken in anew") {
  adding_bench bench;
  const auto record = bench.add();
  REQUIRE(record);
  CHECK(check_image(bench.tools(), bench.request()).value());
  bench.lose_one();
  CHECK_FALSE(check_image(bench.tools(), bench.request()).value());
  REQUIRE(bench.add());
  CHECK(holds_all(*bench.contents, *bench.catalogue->toc(record->toc).value()));
  CHECK(check_image(bench.tools(), bench.request()).value());
}

}  // namespace firstlight
