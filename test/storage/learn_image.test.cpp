#include "storage/learn_image.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

#include "schemas/toc_contents.hpp"
#include "storage/add_image.hpp"
#include "storage/image_relatives.hpp"
#include "storage/layer_cache.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/tar_builder.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

using namespace std::chrono_literals;

using paths = std::vector<std::string>;

/// The stores of a hub that takes images in. Files with the same name have the same bytes.
struct learning_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path() / "metadata").value();
  std::unique_ptr<content_store> contents = content_store::open(folder.path(), *metadata, {}, 64).value();
  std::unique_ptr<image_catalogue> catalogue = image_catalogue::open(folder.path(), *metadata).value();
  std::unique_ptr<layer_cache> layers = make_layer_cache(*metadata);
  source_options source;
  static_order_limits order_limits;
  learning_options options;
  std::unique_ptr<trace_store> traces = trace_store::open(*metadata, options.kept).value();
  std::int64_t now = 1'700'000'000;
  std::uint8_t images = 0;
  std::vector<toc_id> traced;  ///< images of which traces came first

  [[nodiscard]] learn_tools tools() const { return {*catalogue, *traces, options}; }

  toc_id add(const std::string& reference, const paths& files) {
    const auto layout = folder.path() / ("layout" + std::to_string(++images));
    tar_builder tar;
    for (const auto& file : files) tar.file(file, "the bytes of " + file);
    write_layout(layout, {tar.take()});
    const add_image_request request{
        .reference = parse_image_reference("oci:" + layout.string() + ":latest").value(),
        .wanted = host_platform(),
        .name = reference,
        .now = ++now,
        .progress = [](const pull_progress&) {},
        .stop = nullptr};
    const auto note = [this](const toc_id& image) { traced.push_back(image); };
    return add_image({*catalogue, *contents, *layers, source, order_limits, *traces, options, {}, 0, note},
                     request)
        .value()
        .toc;
  }

  /// A start of an image reads the first blocks of these files, one after another.
  void start(const toc_id& image, const std::string& reference, const paths& files) {
    trace recorded{{}, image, reference, "default", "n1", std::chrono::seconds(++now), {}};
    recorded.id.value.bytes[0] = static_cast<std::byte>(now);
    auto when = 0ms;
    for (const auto& file : files) recorded.files.push_back({file, ++when, 0ms, {{0, 1, when, 0ms}}});
    REQUIRE(traces->add(recorded).value() == trace_store::outcome::added);
  }

  /// What a start is expected to read, first to last.
  paths expected(const toc_id& image) const {
    const auto order = catalogue->order(image).value();
    const auto names = content_paths(*catalogue->toc(image).value());
    paths files;
    for (std::uint32_t i = 0; i < order.guessed; ++i) files.push_back(names[order.runs[i].content]);
    return files;
  }
};

/// An image that the hub has never had.
toc_id elsewhere(std::uint8_t number) {
  toc_id id;
  id.value.bytes[0] = std::byte{number};
  return id;
}

}  // namespace

TEST_CASE("an image learns from a version of which nothing but traces is here, by the names of its files") {
  learning_bench bench;
  const auto image = bench.add("example.com/app:2", {"app", "data", "libfoo.so.1.2.4"});
  bench.start(elsewhere(1), "example.com/app:1", {"libfoo.so.1.2.3", "gone", "app"});
  const auto order = learn_image(bench.tools(), image);
  REQUIRE(order);
  CHECK(order->relative == "example.com/app:1");
  CHECK(order->traces == 1);
  CHECK(bench.expected(image) == paths{"libfoo.so.1.2.4", "app"});
}

TEST_CASE("an image that comes after the traces of such a version learns from them too") {
  learning_bench bench;
  bench.start(elsewhere(1), "example.com/app:1", {"data"});
  const auto image = bench.add("example.com/app:2", {"app", "data"});
  CHECK(bench.expected(image) == paths{"data"});
}

TEST_CASE("a new image of which traces came first is told of, for those that do not fit it") {
  const auto late = learning_bench().add("example.com/app:1", {"app", "data"});
  learning_bench bench;
  bench.add("example.com/other:1", {"other"});
  bench.start(late, "example.com/app:1", {"data"});
  bench.start(late, "example.com/app:1", {"of-another-image"});
  CHECK(bench.add("example.com/app:1", {"app", "data"}) == late);
  CHECK(bench.traced == std::vector<toc_id>{late});
  CHECK(bench.expected(late) == paths{"data"});
  auto tools = bench.tools();
  std::vector<trace_id> unfit;
  tools.unfit = [&](const trace& one, const error&) { unfit.push_back(one.id); };
  REQUIRE(learn_image(tools, late));
  CHECK(unfit.size() == 1);
}

TEST_CASE("a new image whose traces had no room before it came is told of, another one is not") {
  const auto late = learning_bench().add("example.com/app:1", {"app", "data"});
  learning_bench bench;
  bench.start(late, "example.com/app:1", {"data"});
  REQUIRE(bench.traces->trim_orphans({}, {.count_max = 0})->traces == 1);
  bench.add("example.com/other:1", {"other"});
  CHECK(bench.traced.empty());
  CHECK(bench.add("example.com/app:1", {"app", "data"}) == late);
  CHECK(bench.traced == std::vector<toc_id>{late});
}

TEST_CASE("of many traces only those that count are read, and another counts for one that cannot be") {
  learning_bench bench;
  bench.options.selection.traces_max = 1;
  const auto image = bench.add("example.com/app:1", {"app", "data", "more"});
  for (const auto* file : {"app", "data", "more"}) bench.start(image, "example.com/app:1", {file});
  auto stamps = bench.traces->stamps(image).value();
  REQUIRE(stamps.size() == 3);
  std::sort(stamps.begin(), stamps.end(), [](const auto& a, const auto& b) { return a.started < b.started; });
  const auto damage = [&](const trace_stamp& one) {
    const auto key = std::string(as_key(image.value)) + std::string(as_key(one.id.value));
    REQUIRE(bench.metadata->put(table{"trace"}, key, "no trace"));
  };
  int told = 0;
  auto tools = bench.tools();
  tools.damaged = [&](const error&) { ++told; };
  damage(stamps[0]);
  REQUIRE(learn_image(tools, image));
  CHECK(bench.expected(image) == paths{"more"});
  CHECK(told == 0);
  damage(stamps[2]);
  REQUIRE(learn_image(tools, image));
  CHECK(bench.expected(image) == paths{"data"});
  CHECK(told == 1);
}

TEST_CASE("what is known of a relative by its traces alone serves only within its repository") {
  learning_bench bench;
  const auto image = bench.add("example.com/app:2", {"app", "data"});
  bench.start(elsewhere(1), "example.com/other:1", {"data"});
  CHECK(learn_image(bench.tools(), image)->relative.empty());
  CHECK(followers_of(bench.tools(), elsewhere(1))->empty());
}

TEST_CASE("a relative of the repository whose contents are here is nearer than newer traces alone") {
  learning_bench bench;
  const auto old = bench.add("example.com/app:1", {"app", "data"});
  const auto image = bench.add("example.com/app:3", {"app", "data", "more"});
  bench.start(old, "example.com/app:1", {"data"});
  bench.start(elsewhere(1), "example.com/app:2", {"app"});
  CHECK(learn_image(bench.tools(), image)->relative == "example.com/app:1");
  // One that has nothing to say lets the next one speak.
  REQUIRE(bench.traces->remove_all(old));
  CHECK(learn_image(bench.tools(), image)->relative == "example.com/app:2");
  CHECK(bench.expected(image) == paths{"app"});
}

TEST_CASE("traces alone of the repository are nearer than an image of another one that shares contents") {
  learning_bench bench;
  const auto other = bench.add("example.com/other:1", {"app", "data"});
  const auto image = bench.add("example.com/app:2", {"app", "data", "more"});
  bench.start(other, "example.com/other:1", {"app"});
  CHECK(learn_image(bench.tools(), image)->relative == "example.com/other:1");
  bench.start(elsewhere(1), "example.com/app:1", {"data"});
  CHECK(learn_image(bench.tools(), image)->relative == "example.com/app:1");
}

TEST_CASE("many versions that were never here do not keep the one that is from being found") {
  learning_bench bench;
  const auto old = bench.add("example.com/app:1", {"app", "data"});
  bench.start(old, "example.com/app:1", {"data"});
  for (std::uint8_t i = 1; i <= 20; ++i)
    bench.start(elsewhere(i), "example.com/app:1." + std::to_string(i), {"app"});
  const auto image = bench.add("example.com/app:2", {"app", "data", "more"});
  CHECK(bench.catalogue->order(image)->relative == "example.com/app:1");
}

TEST_CASE("images without traces follow those of their repository and those that they share contents with") {
  learning_bench bench;
  const auto traced = bench.add("example.com/app:1", {"app", "data"});
  const auto sharing = bench.add("example.com/side:1", {"side", "data"});
  const auto next = bench.add("example.com/app:2", {"new"});
  bench.add("example.com/stranger:1", {"stranger"});
  const auto busy = bench.add("example.com/busy:1", {"busy", "data"});
  CHECK(followers_of(bench.tools(), traced)->empty());  // nothing to follow
  bench.start(traced, "example.com/app:1", {"data"});
  bench.start(busy, "example.com/busy:1", {"data"});
  CHECK(followers_of(bench.tools(), traced).value() == std::vector<toc_id>{next, sharing});
  // The stranger is newer than the one that shares, and is all that is looked at then.
  bench.options.followers_max = 1;
  CHECK(followers_of(bench.tools(), traced).value() == std::vector<toc_id>{next});
}

TEST_CASE("images follow a version of their repository that this hub has never had") {
  learning_bench bench;
  const auto image = bench.add("example.com/app:2", {"app"});
  bench.add("example.com/side:1", {"side"});
  bench.start(elsewhere(1), "example.com/app:1", {"app"});
  CHECK(followers_of(bench.tools(), elsewhere(1)).value() == std::vector<toc_id>{image});
}

TEST_CASE("of all images that have lost their traces together it is found whose orders came from those") {
  learning_bench bench;
  std::set<toc_id> emptied;
  std::set<toc_id> bereft;
  for (const std::string repository : {"example.com/a", "example.com/b", "example.com/c"}) {
    const auto leader = bench.add(repository + ":1", {repository});
    bench.start(leader, repository + ":1", {repository});
    const auto follower = bench.add(repository + ":2", {repository, "more"});
    REQUIRE(bench.catalogue->order(follower)->relative == repository + ":1");
    if (repository == "example.com/c") continue;  // keeps its traces
    REQUIRE(bench.traces->remove_all(leader).value() == 1);
    emptied.insert(leader);
    bereft.insert(follower);
  }
  const auto found = bereft_by(bench.tools(), emptied);
  REQUIRE(found);
  CHECK(std::set<toc_id>(found->begin(), found->end()) == bereft);
}

}  // namespace firstlight
