#include "storage/content_writer.hpp"

#include <algorithm>

#include "storage/sha256.hpp"

namespace firstlight {

disk_content_writer::disk_content_writer(disk_content_store& store) : store_(store) {
  const std::size_t block = store.geometry().block_bytes;
  memory_max_ = std::max<std::size_t>(1, store.limits().writer_memory_bytes / block) * block;
}

disk_content_writer::~disk_content_writer() {
  if (file_) store_.files().remove_unnamed(file_->name);
}

result<void> disk_content_writer::append(bytes_view bytes) {
  while (!bytes.empty()) {
    if (memory_.size() == memory_max_)
      if (auto spilled = spill(); !spilled) return spilled;
    const auto taken = std::min(bytes.size(), memory_max_ - memory_.size());
    memory_.insert(memory_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
  }
  return {};
}

void disk_content_writer::hash_memory() {
  const auto hasher = sha256_merkle();
  const std::size_t block = store_.geometry().block_bytes;
  for (std::size_t at = 0; at < memory_.size(); at += block)
    leaves_.push_back(hasher.leaf(bytes_view(memory_).subspan(at, std::min(block, memory_.size() - at))));
}

result<void> disk_content_writer::spill() {
  if (!file_) {
    auto made = store_.files().new_unnamed();
    if (!made) return tl::make_unexpected(made.error());
    file_ = std::move(*made);
  }
  if (auto written = write_at(file_->file.get(), memory_, spilled_, "new content"); !written) return written;
  hash_memory();
  spilled_ += memory_.size();
  memory_.clear();
  return {};
}

result<content_info> disk_content_writer::finish() {
  if (file_) {
    if (auto spilled = spill(); !spilled) return tl::make_unexpected(spilled.error());
  } else {
    hash_memory();
  }
  const content_info content{{}, spilled_ + memory_.size()};
  if (content.size == 0) return fail(errc::invalid_argument, "an empty file has no content");
  const content_info named{{merkle_root(sha256_merkle(), leaves_)}, content.size};
  if (store_.state(named.id) == content_state::complete) return named;
  if (auto stored = store_new(named); !stored) return tl::make_unexpected(stored.error());
  return named;
}

result<void> disk_content_writer::store_new(const content_info& content) {
  if (leaves_.size() > 1)
    if (auto kept = store_.records().put_leaves(content.id, leaves_); !kept) return kept;
  if (!file_) {
    const auto stored = store_.write(content, 0, memory_);
    return stored ? result<void>{} : tl::make_unexpected(stored.error());
  }
  file_->file = {};
  auto adopted = store_.adopt(content, file_->name);
  if (adopted) file_.reset();
  return adopted;
}

}  // namespace firstlight
