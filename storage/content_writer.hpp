#pragma once
#include <optional>
#include <vector>

#include "storage/disk_content_store.hpp"

namespace firstlight {

/// The writer of a `disk_content_store`: keeps a content in memory up to a limit, so that an equal one
/// that is there already costs no write at all, and spills longer ones to an unnamed file.
class disk_content_writer final : public content_writer {
 public:
  explicit disk_content_writer(disk_content_store& store);
  ~disk_content_writer() override;
  disk_content_writer(const disk_content_writer&) = delete;
  disk_content_writer& operator=(const disk_content_writer&) = delete;

  result<void> append(bytes_view bytes) override;
  result<content_info> finish() override;

 private:
  void hash_memory();
  result<void> spill();
  result<void> store_new(const content_info& content);

  disk_content_store& store_;
  std::size_t memory_max_;  // a multiple of the block size
  std::vector<std::byte> memory_;
  std::vector<digest> leaves_;
  std::optional<content_files::unnamed> file_;
  std::uint64_t spilled_ = 0;
};

}  // namespace firstlight
