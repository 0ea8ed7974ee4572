#pragma once
#include <fcntl.h>

#include <fstream>

#include "fuse_bridge/writable/writable_tree.hpp"
#include "test/harness/node/test_image.hpp"

namespace firstlight {

/// All contents of one image, in files.
class whole_contents : public content_store {
 public:
  whole_contents(std::filesystem::path folder, const image_builder::built& image)
      : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    for (std::uint32_t i = 0; i < image.toc->content_count(); ++i)
      std::ofstream(file_of(image.toc->content(i)), std::ios::binary) << image.bytes[i];
  }
  [[nodiscard]] content_state state(const content_id&) const override { return content_state::complete; }
  [[nodiscard]] block_set blocks(const content_info&) const override { return block_set{}; }
  [[nodiscard]] bool ready(const content_info&, std::uint32_t, std::uint32_t) const override { return true; }
  result<content_state> write(const content_info&, std::uint32_t, bytes_view) override {
    return fail(errc::unsupported, "all is there");
  }
  result<std::size_t> read(const content_info& content, std::uint64_t offset,
                           std::span<std::byte> into) const override {
    return open_at(AT_FDCWD, file_of(content), O_RDONLY).and_then([&](const file_descriptor& file) {
      return read_at(file.get(), into, offset, "read");
    });
  }
  result<int> open_complete(const content_info& content) const override {
    auto file = open_at(AT_FDCWD, file_of(content), O_RDONLY);
    return file ? result<int>(file->release()) : tl::unexpected(file.error());
  }
  [[nodiscard]] std::unique_ptr<content_writer> new_content() override { return nullptr; }
  result<std::vector<digest>> leaves(const content_info&) const override {
    return fail(errc::unsupported, "nobody asks");
  }
  result<void> checkpoint() override { return {}; }
  result<void> remove(const content_id&) override { return {}; }
  void for_each(const std::function<void(const content_info&, content_state)>&) const override {}
  [[nodiscard]] std::uint64_t bytes_stored() const override { return 0; }

 private:
  [[nodiscard]] std::string file_of(const content_info& content) const {
    return (folder_ / content.id.root.hex()).string();
  }
  std::filesystem::path folder_;
};

/// Opens, and tries again as a session does.
inline patient_result<void> open_patiently(writable_tree& tree, node_number number, int flags) {
  auto opened = tree.open_file(number, flags, pace::at_once);
  if (!opened && opened.error().slow) opened = tree.open_file(number, flags, pace::unhurried);
  return opened;
}

}  // namespace firstlight
