#pragma once
#include <algorithm>
#include <random>
#include <stdexcept>
#include <vector>

#include "storage/content_store.hpp"
#include "storage/database.hpp"
#include "storage/sha256.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {

/// `size` bytes that compress about as well as programs do. Equal arguments give equal bytes.
inline std::vector<std::byte> some_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = i >= 64 && random() % 4 != 0 ? bytes[i - 1 - random() % 63]
                                            : static_cast<std::byte>(random() & 0xffU);
  return bytes;
}

inline std::vector<digest> leaves_of(bytes_view bytes, block_geometry geometry = {}) {
  std::vector<digest> leaves;
  for (std::size_t at = 0; at < bytes.size(); at += geometry.block_bytes)
    leaves.push_back(sha256_merkle().leaf(
        bytes.subspan(at, std::min<std::size_t>(geometry.block_bytes, bytes.size() - at))));
  return leaves;
}

inline content_info info_of(bytes_view bytes, block_geometry geometry = {}) {
  return {{merkle_root(sha256_merkle(), leaves_of(bytes, geometry))}, bytes.size()};
}

/// A database and a content store in one folder; `close` and `open` play a restart.
struct opened_store {
  std::unique_ptr<database> metadata;
  std::unique_ptr<content_store> contents;

  explicit opened_store(const std::filesystem::path& folder, std::uint32_t open_files_max = 64) {
    auto opened = database::open(folder / "db");
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    metadata = std::move(*opened);
    auto store = content_store::open(folder / "contents", *metadata, {}, open_files_max);
    if (!store) throw std::runtime_error(to_string(store.error()));
    contents = std::move(*store);
  }
  ~opened_store() {
    contents.reset();
    metadata.reset();
  }

  content_info put(bytes_view bytes) {
    auto writer = contents->new_content();
    auto stored = writer->append(bytes).and_then([&] { return writer->finish(); });
    if (!stored) throw std::runtime_error(to_string(stored.error()));
    return *stored;
  }
  [[nodiscard]] result<std::vector<std::byte>> get(const content_info& content) const {
    std::vector<std::byte> bytes(content.size);
    const auto got = contents->read(content, 0, bytes);
    if (!got) return tl::make_unexpected(got.error());
    bytes.resize(*got);
    return bytes;
  }
};

}  // namespace firstlight
