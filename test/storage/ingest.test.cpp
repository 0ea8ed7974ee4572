#include "storage/ingest.hpp"

#include <catch2/catch.hpp>
#include <ctime>
#include <fstream>

#include "storage/oci/open_source.hpp"
#include "test/harness/image_oracle.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/tar_builder.hpp"
#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

struct ingestion_bench {
  temporary_folder folder;
  opened_store store{folder.path() / "store"};
  ingest_limits limits;
  std::unique_ptr<layer_cache> layers = make_layer_cache(*store.metadata);

  result<ingested_image> ingest(const std::string& reference) {
    auto parsed = parse_image_reference(reference);
    REQUIRE(parsed);
    auto source = open_image_source(*parsed, {.limits = limits});
    if (!source) return tl::unexpected(source.error());
    return ingest_image(**source, host_platform(), {*store.contents, *layers, limits, {}});
  }
  result<ingested_image> ingest_tars(const std::vector<std::string>& tars, layer_packing packing) {
    const auto layout = folder.path() / "layout";
    std::filesystem::remove_all(layout);
    write_layout(layout, tars, packing);
    return ingest("oci:" + layout.string() + ":latest");
  }
  observed_tree observe(const image_tree& tree) {
    return observe_tree(tree,
                        [this](const content_info& content, std::uint64_t offset, std::span<std::byte> into) {
                          return store.contents->read(content, offset, into);
                        });
  }
  /// What umoci makes of a layout, compared with ours: one line a difference.
  std::vector<std::string> compare_with_umoci(const std::string& layout) {
    const auto since = std::time(nullptr) - 1;
    const auto bundle = folder.path() / "bundle";
    const int unpacked = run_program("umoci unpack --image " + layout + " " + bundle.string());
    auto image = ingest("oci:" + layout);
    if ((unpacked == 0) != image.has_value()) {
      return {"umoci exits with " + std::to_string(unpacked) +
              ", ours: " + (image ? "good" : to_string(image.error()))};
    }
    std::vector<std::string> lines;
    if (image)
      lines = differences(observe_folder(bundle / "rootfs"), observe(image->tree), {.unpacked_since = since});
    std::filesystem::remove_all(bundle);
    return lines;
  }
  std::vector<std::string> compare_tars(const std::vector<std::string>& tars) {
    const auto layout = folder.path() / "nasty";
    std::filesystem::remove_all(layout);
    write_layout(layout, tars);
    return compare_with_umoci(layout.string() + ":latest");
  }
};

/// A layout as if a registry had it, which gives no blob that it is told to withhold.
class registry_of_layout : public image_source {
 public:
  registry_of_layout(std::unique_ptr<image_source> layout, std::string host)
      : layout_(std::move(layout)), host_(std::move(host)) {}
  result<digest> current_digest() override { return layout_->current_digest(); }
  result<resolved_image> resolve(const platform& wanted) override { return layout_->resolve(wanted); }
  [[nodiscard]] std::string origin() const override { return host_; }
  result<bool> has_blob(const blob_descriptor&) override { return gives; }
  result<std::unique_ptr<byte_source>> open_blob(const blob_descriptor& blob) override {
    if (!gives) return fail(errc::denied, "this is none of yours");
    return layout_->open_blob(blob);
  }
  bool gives = true;

 private:
  std::unique_ptr<image_source> layout_;
  std::string host_;
};

const std::vector<std::string> equal;

std::string capability() {  // cap_net_raw=ep
  return {"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20};
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Two files of more regions than a header of GNU's and its first extension hold, and one without holes
/// that follows them in the tar.
void write_files_with_holes(const std::filesystem::path& folder) {
  constexpr int regions = 30, apart = 65'536;
  std::filesystem::create_directories(folder);
  std::ofstream first(folder / "1", std::ios::binary), second(folder / "2", std::ios::binary);
  for (int region = 0; region < regions; ++region) {
    first.seekp(region * apart) << "data of region " << region;
    second.seekp((region + 1) * apart) << "other data of region " << region;
  }
  first.close();
  std::filesystem::resize_file(folder / "1", 3'000'001);  // ends in a hole
  std::ofstream(folder / "3") << "right behind them";
}

}  // namespace

TEST_CASE("an image's lowest layers alone are what they show, and another image to all") {
  ingestion_bench bench;
  const auto first = tar_builder().file("a", "first").file("gone", "x").take();
  const auto second = tar_builder().file("a", "second").file(".wh.gone", "").take();
  const auto whole = bench.ingest_tars({first, second}, layer_packing::plain).value();
  const auto layout = "oci:" + (bench.folder.path() / "layout").string() + ":latest";
  const auto read = [&](std::uint32_t layers) {
    const auto source = open_image_source(*parse_image_reference(layout), {.limits = bench.limits}).value();
    return ingest_image(*source, host_platform(),
                        {*bench.store.contents, *bench.layers, bench.limits, {}, nullptr, layers});
  };
  const auto lowest = read(1).value();
  CHECK(lowest.manifest_digest != whole.manifest_digest);
  CHECK(lowest.layers_read == 0);
  const auto alone = bench.ingest_tars({first}, layer_packing::plain).value();
  CHECK(differences(bench.observe(alone.tree), bench.observe(lowest.tree), {}) == std::vector<std::string>{});
  bench.ingest_tars({first, second}, layer_packing::plain).value();
  CHECK(read(2).value().manifest_digest == whole.manifest_digest);
  CHECK(read(3).error().code == errc::not_found);
}

TEST_CASE("an image is ingested from layers that are plain, gzip or zstd, with equal trees") {
  ingestion_bench bench;
  const std::vector<std::string> tars{
      tar_builder().folder("etc/").file("etc/a", std::string(70'000, 'x')).take(),
      tar_builder().file("b", "second").hard_link("c", "etc/a").take()};
  auto plain = bench.ingest_tars(tars, layer_packing::plain);
  REQUIRE(plain);
  auto gzip = bench.ingest_tars(tars, layer_packing::gzip);
  auto zstd = bench.ingest_tars(tars, layer_packing::zstd);
  REQUIRE(gzip);
  REQUIRE(zstd);
  CHECK(plain->tree == gzip->tree);
  CHECK(plain->tree == zstd->tree);
  CHECK(plain->layers_read == 2);
  CHECK(zstd->layers_read == 0);
  CHECK(bench.observe(plain->tree).at("etc/a").links == 2);
}

TEST_CASE("who only knows what a private layer unpacks to does not get it") {
  ingestion_bench bench;
  const auto layout = bench.folder.path() / "secret";
  write_layout(layout, {tar_builder().file("secret", "x").take()});
  const auto from = [&](const std::string& host, const std::filesystem::path& folder, bool gives = true) {
    const auto reference = parse_image_reference("oci:" + folder.string() + ":latest").value();
    registry_of_layout source(open_image_source(reference).value(), host);
    source.gives = gives;
    return ingest_image(source, host_platform(), {*bench.store.contents, *bench.layers, bench.limits, {}});
  };
  CHECK(from("host.example", layout)->layers_read == 1);
  CHECK(from("host.example", layout)->layers_read == 0);
  CHECK(from("other.example", layout)->layers_read == 1);
  CHECK(from("host.example", layout, false).error().code == errc::denied);

  // Another blob under the same claim: what it unpacks to is looked at.
  const auto forged = bench.folder.path() / "forged";
  write_layout(forged, {tar_builder().file("secret", "x").take()}, layer_packing::zstd);
  CHECK(from("host.example", forged)->layers_read == 1);
}

TEST_CASE("a layer that ends right behind its last file is whole, and one that ends in it is not") {
  ingestion_bench bench;
  const std::string text(700, 'x');
  auto tar = tar_builder().file("a", "first").file("b", text).unended();
  const auto padding = 1024 - text.size();
  const auto whole =
      bench.ingest_tars({tar_builder().file("a", "first").file("b", text).take()}, layer_packing::gzip);
  tar.resize(tar.size() - padding);
  const auto bare = bench.ingest_tars({tar}, layer_packing::gzip);
  REQUIRE(whole);
  REQUIRE(bare);
  CHECK(bare->tree == whole->tree);
  tar.pop_back();
  CHECK(bench.ingest_tars({tar}, layer_packing::gzip).error().code == errc::corrupt);
}

TEST_CASE("sparse files of GNU's own format and of PAX 0.0 are ingested as they were before tar") {
  ingestion_bench bench;
  const std::string format = GENERATE("gnu", "posix --sparse-version=0.0");
  const auto mark = format == "gnu" ? "S" + std::string(100, '\0') + "ustar  "  // type, link name, magic
                                    : std::string("GNU.sparse.numbytes=");
  CAPTURE(format);
  const auto files = bench.folder.path() / "files", archive = bench.folder.path() / "sparse.tar";
  write_files_with_holes(files);
  REQUIRE(run_program("tar --sparse --format=" + format + " -C " + files.string() + " -cf " +
                      archive.string() + " 1 2 3") == 0);
  const auto tar = slurp(archive);
  REQUIRE(tar.find(mark) != std::string::npos);
  REQUIRE(tar.size() < std::filesystem::file_size(files / "1"));

  const auto image = bench.ingest_tars({tar}, layer_packing::gzip);
  REQUIRE(image);
  auto ingested = bench.observe(image->tree);
  for (const auto& [name, file] : observe_folder(files)) {
    INFO(name);
    CHECK(ingested[name].size == file.size);
    CHECK(ingested[name].sha256 == file.sha256);
  }
}

TEST_CASE("a layer whose bytes are not what the manifest says is refused") {
  ingestion_bench bench;
  const auto layout = bench.folder.path() / "wrong";
  const std::string tar = tar_builder().file("a", "bytes").take();
  write_layout(layout, {tar});
  const auto blobs = layout / "blobs" / "sha256";
  for (const auto& blob : std::filesystem::directory_iterator(blobs)) {
    if (std::filesystem::file_size(blob) != pack_layer(tar, layer_packing::gzip).size()) continue;
    run_program("printf X | dd conv=notrunc bs=1 seek=4 of=" + blob.path().string());
  }
  auto image = bench.ingest("oci:" + layout.string());
  REQUIRE_FALSE(image);
  CHECK(image.error().code == errc::corrupt);
}

TEST_CASE("a layer that unpacks to more than the limit is refused") {
  ingestion_bench bench;
  bench.limits.layer_unpacked_bytes_max = 1'000'000;
  auto bomb = bench.ingest_tars({tar_builder().file("zeros", std::string(2'000'000, '\0')).take()},
                                layer_packing::zstd);
  REQUIRE_FALSE(bomb);
  CHECK(bomb.error().code == errc::limit_exceeded);
}

TEST_CASE("nasty layers merge exactly as umoci unpacks them", "[umoci]") {
  ingestion_bench bench;
  const std::string base = tar_builder()
                               .folder("./", 0750)
                               .folder("./a/", 01777)
                               .file("./a/x", "lower x", 04755)
                               .file("a/y", "lower y")
                               .folder("d/")
                               .folder("d/e/")
                               .file("d/e/f", "deep")
                               .symlink("link", "d/e")
                               .symlink("dangling", "/no/where")
                               .symlink("up", "../../../d")
                               .file("file", "plain")
                               .take();
  SECTION("missing and later parents") {
    CHECK(bench.compare_tars({tar_builder().file("p/q/r", "1").folder("p/", 0700).file("p/s", "2").take()}) ==
          equal);
  }
  SECTION("whiteouts and opaque directories") {
    const auto upper = tar_builder().file("a/new", "n").file("a/.wh..wh..opq", "").file(".wh.d", "").take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("a whiteout after its own file spares it") {
    const auto upper =
        tar_builder().file("d/e/g", "g").file(".wh.d", "").file("a/x", "").file("a/.wh.x", "").take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("hard links to lower layers and within one") {
    const auto upper =
        tar_builder().hard_link("h1", "a/x").hard_link("h2", "./h1").file("a/x", "upper").take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("a hard link to nothing") {
    CHECK(bench.compare_tars({base, tar_builder().hard_link("h", "none").take()}) == equal);
  }
  SECTION("a hard link to itself") {
    CHECK(bench.compare_tars({base, tar_builder().hard_link("file", "file").take()}) == equal);
  }
  SECTION("a hard link to a symbolic link") {
    CHECK(bench.compare_tars({base, tar_builder().hard_link("h", "link").take()}) == equal);
  }
  SECTION("links in parent paths") {
    const auto upper = tar_builder().file("link/in", "1").file("dangling/in", "2").file("up/in", "3").take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("a parent that is a file") {
    CHECK(bench.compare_tars({base, tar_builder().file("file/x", "1").take()}) == equal);
  }
  SECTION("types change between layers") {
    const auto upper = tar_builder()
                           .file("d", "now a file")
                           .folder("link/")
                           .folder("file/")
                           .symlink("a", "d")
                           .device("dev", '3', 1, 3)
                           .device("blk", '4', 8, 300)
                           .device("pipe", '6', 0, 0)
                           .take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("paths with dots and slashes") {
    const auto upper =
        tar_builder().file("../../escape", "1").file("/abs", "2").file("a/../b//c", "3").take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("duplicates in one layer, the last wins") {
    CHECK(bench.compare_tars(
              {tar_builder().file("t", "1").hard_link("u", "t").file("t", "22", 0600).take()}) == equal);
  }
  SECTION("a directory's attributes change, its children stay") {
    const auto upper = tar_builder()
                           .pax({{"mtime", "1234567890.987654321"}, {"SCHILY.xattr.user.k", "v"}})
                           .folder("d", 02711)
                           .take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("extended headers") {
    const std::string odd("bytes\xff\xfe\x80/name\xc3\x28", 15);
    const auto upper = tar_builder()
                           .pax({{"path", odd},
                                 {"mtime", "-1.25"},
                                 {"uid", "4000000"},
                                 {"SCHILY.xattr.security.capability", capability()}})
                           .file("short", "x", 0755)
                           .gnu_long('L', std::string(120, 'n') + "/" + std::string(150, 'm'))
                           .file("cut", "long")
                           .gnu_long('K', std::string(300, 't'))
                           .symlink("longlink", "cut")
                           .header({.name = "tail", .size = 1, .link_name = {}, .at_345 = "pre/fix"})
                           .raw("1")
                           .take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("sparse files of PAX 1.0 and 0.1") {
    std::string data = "2\n0\n3\n1000\n4\n";
    data.resize(512, '\0');
    data += "abcdefg";
    const auto upper =
        tar_builder()
            .pax({{"GNU.sparse.major", "1"},
                  {"GNU.sparse.minor", "0"},
                  {"GNU.sparse.name", "sparse10"},
                  {"GNU.sparse.realsize", "5000"}})
            .file("GNUSparseFile.0/sparse10", data)
            .pax({{"GNU.sparse.size", "4096"}, {"GNU.sparse.numblocks", "1"}, {"GNU.sparse.map", "512,3"}})
            .file("sparse01", "abc")
            .take();
    CHECK(bench.compare_tars({base, upper}) == equal);
  }
  SECTION("the root as a link") {
    CHECK(bench.compare_tars({base, tar_builder().symlink("./", "/etc").take()}) == equal);
  }
}

}  // namespace firstlight
