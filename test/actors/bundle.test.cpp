#include <catch2/catch.hpp>
#include <fstream>

#include "actors/hub/save_bundle.hpp"
#include "actors/node/load_bundle.hpp"
#include "test/harness/node/small_stores.hpp"

using namespace firstlight;

namespace {

constexpr std::int64_t now = 1'700'000'000;
const std::string name = "example.com/app:1";

struct bundle_bench {
  test_authority authority;
  hub_stores hub{authority};
  node_stores node{authority};
  temporary_folder folder;
  std::filesystem::path file = folder.path() / "app.bundle";
  known_image image = hub.add(name, some_layer());

  result<saved_bundle> save() {
    const auto preparation = hub.preparation();
    return save_bundle(
        {preparation, *hub.builder},
        {.image = image, .reference = name, .file = file, .now = now, .progress = {}, .stop = nullptr});
  }
  result<loaded_bundle> load() {
    return load_bundle(
        node.tools(), {.file = file, .home = host_platform(), .progress = {}, .stored = {}, .stop = nullptr});
  }
  std::optional<image_record> record() { return node.catalogue->find(name, host_platform().text()).value(); }
  void flip_byte(std::uint64_t at) const {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(bytes.get() ^ 0x40);
    bytes.seekp(static_cast<std::streamoff>(at));
    bytes.put(byte);
  }
};

bool one_line(const error& why) {
  return !why.detail.empty() && why.detail.find('\n') == std::string::npos;
}

}  // namespace

TEST_CASE("an image saved to a bundle file is complete on a node that loads it") {
  bundle_bench bench;
  const auto saved = bench.save().value();
  CHECK(saved.reference == name);
  CHECK(saved.bytes == std::filesystem::file_size(bench.file));
  const auto loaded = bench.load().value();
  CHECK(loaded.bytes == saved.bytes);
  CHECK(loaded.image.record.reference == name);
  CHECK(loaded.image.record.toc == bench.image.record.toc);
  REQUIRE(bench.record());
  CHECK(bench.record()->complete);
  const auto held = bench.node.held(*loaded.image.toc);
  CHECK(held.incomplete.empty());
  CHECK(held.total == bench.image.toc->content_bytes());
  for (std::uint32_t i = 0; i < bench.image.toc->content_count(); ++i) {
    const auto content = bench.image.toc->content(i);
    std::vector<std::byte> expected(content.size);
    std::vector<std::byte> got(content.size);
    REQUIRE(bench.hub.contents->read(content, 0, expected).value() == content.size);
    REQUIRE(bench.node.contents->read(content, 0, got).value() == content.size);
    CHECK(expected == got);
  }
}

TEST_CASE("saving and loading tell how far they are, and loading which blocks can be read") {
  bundle_bench bench;
  std::vector<pull_progress> saving;
  std::vector<pull_progress> loading;
  std::uint64_t readable = 0;
  const auto preparation = bench.hub.preparation();
  REQUIRE(save_bundle({preparation, *bench.hub.builder},
                      {.image = bench.image,
                       .reference = name,
                       .file = bench.file,
                       .now = now,
                       .progress = [&](const pull_progress& news) { saving.push_back(news); },
                       .stop = nullptr}));
  REQUIRE(load_bundle(bench.node.tools(),
                      {.file = bench.file,
                       .home = host_platform(),
                       .progress = [&](const pull_progress& news) { loading.push_back(news); },
                       .stored =
                           [&](const toc_id& toc, const std::vector<block_run>& runs) {
                             CHECK(toc == bench.image.record.toc);
                             readable += bytes_of(*bench.image.toc, runs);
                           },
                       .stop = nullptr}));
  REQUIRE(saving.size() > 2);
  CHECK(saving.back().done == saving.back().total);
  REQUIRE(loading.size() == saving.size());
  CHECK(loading.front().done < loading.back().done);
  CHECK(loading.back().done == loading.back().total);
  CHECK(readable == bench.image.toc->content_bytes());
}

TEST_CASE("a file that exists is not overwritten by a bundle") {
  bundle_bench bench;
  std::ofstream(bench.file) << "precious";
  CHECK(bench.save().error().code == errc::already_exists);
  CHECK(std::filesystem::file_size(bench.file) == 8);
}

TEST_CASE("saving and loading stop when they are told to, and saving leaves no file") {
  bundle_bench bench;
  const std::atomic<bool> stop = true;
  const auto preparation = bench.hub.preparation();
  const auto saved = save_bundle({preparation, *bench.hub.builder}, {.image = bench.image,
                                                                     .reference = name,
                                                                     .file = bench.file,
                                                                     .now = now,
                                                                     .progress = {},
                                                                     .stop = &stop});
  CHECK(saved.error().code == errc::cancelled);
  CHECK(std::filesystem::is_empty(bench.folder.path()));
  REQUIRE(bench.save());
  const auto loaded =
      load_bundle(bench.node.tools(),
                  {.file = bench.file, .home = host_platform(), .progress = {}, .stored = {}, .stop = &stop});
  CHECK(loaded.error().code == errc::cancelled);
}

TEST_CASE("a truncated bundle ends in one clear line, and what it brought stays") {
  bundle_bench bench;
  const auto bytes = bench.save().value().bytes;
  std::filesystem::resize_file(bench.file, bytes * 2 / 3);
  const auto loaded = bench.load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == errc::corrupt);
  CHECK(loaded.error().detail.find("cut off") != std::string::npos);
  CHECK(one_line(loaded.error()));
  REQUIRE(bench.record());
  CHECK_FALSE(bench.record()->complete);
  CHECK(bench.node.held(*bench.image.toc).ready > 0);
  std::filesystem::remove(bench.file);
  REQUIRE(bench.save());
  CHECK(bench.load());
  CHECK(bench.record()->complete);
}

TEST_CASE("no damaged bundle is taken for a whole image, wherever the damage is") {
  bundle_bench bench;
  const auto bytes = bench.save().value().bytes;
  for (std::uint64_t at = 3; at < bytes; at += bytes / 40) {
    INFO("byte " << at);
    node_stores fresh(bench.authority);
    bench.flip_byte(at);
    const auto loaded = load_bundle(
        fresh.tools(), {.file = bench.file, .home = host_platform(), .progress = {}, .stored = {}});
    bench.flip_byte(at);
    REQUIRE_FALSE(loaded);
    CHECK(one_line(loaded.error()));
    const auto record = fresh.catalogue->find(name, host_platform().text()).value();
    CHECK_FALSE((record && record->complete));
  }
  CHECK(bench.load());
}

TEST_CASE("a bundle that another cluster's hub has signed is denied and leaves no image") {
  bundle_bench bench;
  REQUIRE(bench.save());
  const test_authority other;
  node_stores stranger(other);
  const auto loaded = load_bundle(
      stranger.tools(), {.file = bench.file, .home = host_platform(), .progress = {}, .stored = {}});
  CHECK(loaded.error().code == errc::denied);
  CHECK(stranger.catalogue->list().value().empty());
}

TEST_CASE("a file that is no bundle, and one that is not there, are said to be that") {
  bundle_bench bench;
  CHECK(bench.load().error().code == errc::not_found);
  std::ofstream(bench.file) << "something else, longer than a header";
  CHECK(bench.load().error().code == errc::corrupt);
}
