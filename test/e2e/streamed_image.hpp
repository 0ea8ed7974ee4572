#pragma once
#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "test/harness/cluster/cluster.hpp"
#include "test/harness/eventually.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/tar_builder.hpp"

namespace firstlight {

/// An image that takes its time on a slow link: files of bytes that no compression makes smaller.
struct streamed_image {
  std::filesystem::path layout;  ///< OCI
  std::filesystem::path tree;    ///< the same files in a plain folder
  std::uint64_t bytes = 0;       ///< of all files
};

struct streamed_shape {
  std::uint32_t files = 24;
  std::uint32_t file_bytes = 512U << 10U;
  std::uint32_t changed = 0;  ///< so many files differ, each in its middle
};

inline std::string incompressible(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() >> 56U);
  return bytes;
}

/// Equal shapes make equal images.
inline streamed_image make_streamed_image(const std::filesystem::path& folder,
                                          const streamed_shape& shape = {}) {
  streamed_image image{folder / "layout", folder / "tree", 0};
  std::filesystem::create_directories(image.tree / "data");
  tar_builder tar;
  tar.folder("data/");
  for (std::uint32_t file = 0; file < shape.files; ++file) {
    auto bytes = incompressible(file, shape.file_bytes + file);
    if (file < shape.changed) bytes.replace(bytes.size() / 2, 16, "sixteen new byte");
    const auto name = "data/f" + std::to_string(100 + file);
    tar.file(name, bytes);
    std::ofstream(image.tree / name, std::ios::binary) << bytes;
    image.bytes += bytes.size();
  }
  write_layout(image.layout, {tar.take()}, layer_packing::plain);
  return image;
}

/// A shell pipeline that reads every file below `folder` and prints its SHA-256; it fails if any read fails.
inline std::vector<std::string> hash_files(const std::filesystem::path& folder) {
  return {"sh", "-c", "cd \"$1\" && find . -type f -print0 | sort -z | xargs -0 sha256sum", "hash_files",
          folder.string()};
}

/// What `hash_files` prints of a folder that is whole.
inline std::string hashes_of(cluster& all, const std::filesystem::path& folder) {
  auto program = all.run(hash_files(folder));
  REQUIRE(program->wait(std::chrono::minutes(2)) == program_end{0, 0});
  return program->output();
}

/// The program on the mount has ended well, and has read what the source has.
inline void check_reads_right(cluster& all, running_program& reader, const streamed_image& image) {
  const auto end = reader.wait(std::chrono::minutes(2));
  INFO(reader.errors());
  REQUIRE(end == program_end{0, 0});
  CHECK(reader.output() == hashes_of(all, image.tree));
}

/// Returns when so many bytes have come over the link.
inline void await_bytes(cluster& all, std::uint64_t bytes) {
  REQUIRE(eventually([&] { return all.link().bytes_to_client() >= bytes; }));
}

inline void check_complete(cluster& all, const std::string& image) {
  const auto waited = all.on_node({"wait", image, "--timeout", "100s"});
  INFO(waited.errors);
  REQUIRE(waited.exit_code == 0);
  CHECK(waited.reply["image"]["complete"] == true);
}

constexpr std::uint64_t slow_link = 6'000'000;  ///< bytes a second: two seconds for a streamed image

}  // namespace firstlight
