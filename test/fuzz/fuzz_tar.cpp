#include <array>
#include <cstdio>
#include <cstdlib>

#include "model/overlay_merge.hpp"
#include "storage/archive/decompress.hpp"
#include "storage/archive/tar_reader.hpp"
#include "test/fuzz/fuzz_entry.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/tar_builder.hpp"

namespace {

using namespace firstlight;

class memory_source : public byte_source {
 public:
  explicit memory_source(bytes_view bytes) : rest_(bytes) {}
  result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t length = std::min(into.size(), rest_.size());
    std::copy_n(rest_.begin(), length, into.begin());
    rest_ = rest_.subspan(length);
    return length;
  }

 private:
  bytes_view rest_;
};

}  // namespace

namespace {

void read_layer(bytes_view layer) {
  ingest_limits limits;
  limits.layer_unpacked_bytes_max = 4U << 20U;
  limits.entries_per_layer_max = 4096;
  auto plain = decompress(std::make_unique<memory_source>(layer), limits);
  tar_reader tar(*plain, limits);
  overlay_merger merger(limits.merge);
  merger.begin_layer();
  std::array<std::byte, 4096> buffer;
  while (true) {
    auto entry = tar.next();
    if (!entry || !*entry) break;
    std::uint64_t got_bytes = 0;
    while (got_bytes <
           limits.layer_unpacked_bytes_max) {  // a sparse file of the largest size is not read to its end
      auto got = tar.read(buffer);
      if (!got || *got == 0) break;
      got_bytes += *got;
    }
    if (got_bytes > (*entry)->size) std::abort();
    if (!merger.apply((*entry)->entry)) return;
  }
  const image_tree tree = merger.finish();
  if (tree.inodes.empty() || tree.inodes.front().type != file_type::directory) std::abort();
}

// Wrong checksums would end nearly every mutated tar at its first header: makes them right again.
std::string with_checksums(std::string tar) {
  for (std::size_t at = 0; at + 512 <= tar.size(); at += 512) {
    if (tar.compare(at + 257, 5, "ustar") != 0) continue;
    std::fill_n(tar.begin() + static_cast<std::ptrdiff_t>(at) + 148, 8, ' ');
    unsigned sum = 0;
    for (std::size_t i = at; i < at + 512; ++i) sum += static_cast<unsigned char>(tar[i]);
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "%06o", sum);
    tar.replace(at + 148, 7, text.data(), 7);
  }
  return tar;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view bytes(reinterpret_cast<const std::byte*>(data), size);
  read_layer(bytes);
  const std::string repaired = with_checksums({reinterpret_cast<const char*>(data), size});
  read_layer(std::as_bytes(std::span(repaired)));
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  std::string sparse = "2\n0\n3\n1000\n4\n";
  sparse.resize(512, '\0');
  const std::string tar =
      tar_builder()
          .folder("a/")
          .file("a/b", "content")
          .hard_link("c", "a/b")
          .symlink("d", "../a")
          .file("d/.wh.b", "")
          .file(".wh..wh..opq", "")
          .device("n", '3', 1, 3)
          .pax({{"path", "long/name"}, {"mtime", "1.5"}, {"SCHILY.xattr.user.x", "v"}})
          .file("x", "y")
          .gnu_long('L', std::string(150, 'l'))
          .file("z", "")
          .pax({{"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.realsize", "5000"}})
          .file("s", sparse + "abcdefg")
          .pax({{"GNU.sparse.size", "4096"}, {"GNU.sparse.map", "512,3"}})
          .file("s01", "abc")
          .take();
  return {tar, pack_layer(tar, layer_packing::gzip), pack_layer(tar, layer_packing::zstd)};
}
