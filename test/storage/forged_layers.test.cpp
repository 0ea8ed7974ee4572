#include <catch2/catch.hpp>
#include <fstream>

#include "storage/add_image.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/tar_builder.hpp"
#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

const std::vector<image_record> none;

digest digest_of(const std::string& bytes) {
  return sha256(std::as_bytes(std::span(bytes)));
}

std::string file_of(const std::string& text) {
  return tar_builder().file("a", text).take();
}

/// The stores of a hub, and an image whose upper layer says to be another one.
struct forging_bench {
  temporary_folder folder;
  opened_store store{folder.path() / "store"};
  std::unique_ptr<image_catalogue> catalogue =
      image_catalogue::open(folder.path() / "catalogue", *store.metadata).value();
  std::unique_ptr<layer_cache> layers = make_layer_cache(*store.metadata);
  learning_options options;
  std::unique_ptr<trace_store> traces = trace_store::open(*store.metadata, options.kept).value();
  const std::vector<std::string> tars{file_of("lower"), file_of("upper")};
  const forged_layer forged{.index = 1, .claimed_tar = file_of("what it says to be")};

  result<image_record> add(const std::string& from) {
    const add_image_request request{.reference = parse_image_reference(from).value(),
                                    .wanted = host_platform(),
                                    .name = "example.com/app:1",
                                    .now = 1'700'000'000,
                                    .progress = [](const pull_progress&) {},
                                    .stop = nullptr};
    return add_image({*catalogue, *store.contents, *layers, {}, {}, *traces, options}, request);
  }
  std::vector<image_record> listed() const {
    REQUIRE(catalogue->unreadable()->empty());
    return catalogue->list().value();
  }
  /// Whether the entries of files' layers with this diff id are kept for other images.
  bool keeps(const std::string& tar) const { return layers->find({"", {}, digest_of(tar)})->has_value(); }

  std::string layout(layer_packing packing) const {
    const auto path = folder.path() / "layout";
    std::filesystem::remove_all(path);
    write_layout(path, tars, packing);
    return "oci:" + path.string() + ":latest";
  }
  std::string forged_layout(layer_packing packing) const {
    const auto path = folder.path() / "forged";
    std::filesystem::remove_all(path);
    write_forged_layout(path, tars, packing, forged);
    return "oci:" + path.string() + ":latest";
  }
  /// A docker archive of `tars` that says to be made of `claimed`.
  std::string docker_archive(const std::vector<std::string>& claimed) const {
    const auto path = folder.path() / "docker.tar";
    const auto diff_id = [&](std::size_t layer) { return "\"" + digest_of(claimed.at(layer)).oci() + "\""; };
    const auto config = R"({"architecture":")" + host_platform().architecture +
                        R"(","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[)" + diff_id(0) +
                        "," + diff_id(1) + "]}}";
    const std::string manifest =
        R"([{"Config":"config.json","RepoTags":["app:1"],"Layers":["0.tar","1.tar"]}])";
    std::ofstream(path, std::ios::binary) << tar_builder()
                                                 .file("manifest.json", manifest)
                                                 .file("config.json", config)
                                                 .file("0.tar", tars.at(0))
                                                 .file("1.tar", tars.at(1))
                                                 .take();
    return "docker-archive:" + path.string();
  }
};

}  // namespace

TEST_CASE("a layer that unpacks to other bytes than its image says is refused, however it is packed") {
  forging_bench bench;
  const auto packing = GENERATE(layer_packing::plain, layer_packing::gzip, layer_packing::zstd);
  CAPTURE(static_cast<int>(packing));
  const auto refused = bench.add(bench.forged_layout(packing));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::corrupt);
  CHECK(refused.error().detail.find("the unpacked layer " + digest_of(bench.forged.claimed_tar).oci()) !=
        std::string::npos);
  CHECK(bench.listed() == none);
  CHECK_FALSE(bench.keeps(bench.forged.claimed_tar));
  CHECK_FALSE(bench.keeps(bench.tars[1]));
  CHECK(bench.add(bench.layout(packing)));  // its blobs are those of the refused one
  CHECK(bench.keeps(bench.tars[1]));
}

TEST_CASE("an image stays as it was when what would replace it is forged") {
  forging_bench bench;
  REQUIRE(bench.add(bench.layout(layer_packing::gzip)));
  const auto before = bench.listed();
  const auto refused = bench.add(bench.forged_layout(layer_packing::gzip));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::corrupt);
  REQUIRE(before.size() == 1);
  CHECK((bench.listed() == before));
}

TEST_CASE("a layer of a docker archive, which names no digest of it, is refused by its diff id") {
  forging_bench bench;
  const auto refused = bench.add(bench.docker_archive({bench.tars[0], bench.forged.claimed_tar}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::corrupt);
  CHECK(refused.error().detail.find("the unpacked layer") != std::string::npos);
  CHECK(bench.listed() == none);
  CHECK_FALSE(bench.keeps(bench.forged.claimed_tar));
  CHECK(bench.add(bench.docker_archive(bench.tars)));
}

}  // namespace firstlight
