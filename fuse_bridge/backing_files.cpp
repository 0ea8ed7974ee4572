#include "fuse_bridge/backing_files.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace firstlight {
namespace {

// From the kernel's include/uapi/linux/fuse.h, version 7.40; libfuse 3.14 does not know them.
struct fuse_backing_map {
  std::int32_t fd;
  std::uint32_t flags;
  std::uint64_t padding;
};
constexpr unsigned long backing_open = _IOW(229, 1, fuse_backing_map);
constexpr unsigned long backing_close = _IOW(229, 2, std::uint32_t);

/// What earlier versions have noted of a file.
struct earlier_row {
  std::uint64_t node;
  std::uint32_t opens;
  std::int32_t backing_id;
};
constexpr std::uint64_t opened_earlier = 1ULL << 62U;  // no request of the kernel has such a number

}  // namespace

result<std::unique_ptr<backing_files>> backing_files::open_table(int device,
                                                                 const std::filesystem::path& table,
                                                                 std::shared_ptr<session_counters> counters,
                                                                 std::uint64_t bytes_min) {
  auto file = open_at(AT_FDCWD, table, O_RDWR | O_CREAT, 0600);
  if (!file) return tl::unexpected(file.error());
  std::unique_ptr<backing_files> made(new backing_files(device, std::move(*file), std::move(counters)));
  if (auto loaded = made->load(); !loaded) return tl::unexpected(loaded.error());
  if (made->rows_.empty()) {
    made->rows_.push_back({0, bytes_min});
    if (auto taken = made->take_earlier(earlier_table(table)); !taken) return tl::unexpected(taken.error());
    made->save(0);
  }
  made->bytes_min_ = made->rows_.front().node;
  return made;
}

result<void> backing_files::load() {
  static_assert(4096 % sizeof(row) == 0);
  for (;;) {
    row one;
    const auto bytes = std::as_writable_bytes(std::span(&one, 1));
    const auto got = read_at(table_.get(), bytes, rows_.size() * sizeof one, "read the table of open files");
    if (!got) return tl::unexpected(got.error());
    if (*got != sizeof one) return {};
    if (one.handle == 0) {
      if (!rows_.empty()) free_.push_back(rows_.size());
    } else {
      places_[one.handle] = rows_.size();
      auto& node = nodes_[one.node];
      ++node.opens;
      node.backing_id = one.backing_id;
    }
    rows_.push_back(one);
  }
}

// It does not say which opens there were. Of a file that was open all that come go the same way until the
// kernel forgets it.
result<void> backing_files::take_earlier(const std::filesystem::path& table) {
  const auto file = open_at(AT_FDCWD, table, O_RDONLY);
  if (!file) return file.error().code == errc::not_found ? result<void>{} : tl::unexpected(file.error());
  rows_.front().node = 0;  // small files are in it, too
  for (std::uint64_t place = 0;; ++place) {
    earlier_row one;
    const auto bytes = std::as_writable_bytes(std::span(&one, 1));
    const auto got = read_at(file->get(), bytes, place * sizeof one, "read an earlier table of open files");
    if (!got) return tl::unexpected(got.error());
    if (*got != sizeof one) return {};
    if (one.opens == 0) continue;
    auto& node = nodes_[one.node];
    ++node.opens;
    node.backing_id = one.backing_id;
    add({opened_earlier | place, one.node}, one.backing_id);
  }
}

// On a file system in memory: it is for a process that takes over, not for a power cut.
void backing_files::save(std::size_t place) {
  const auto saved = write_at(table_.get(), std::as_bytes(std::span(&rows_[place], 1)), place * sizeof(row),
                              "note an open file");
  if (!saved) spdlog::warn("{}", saved.error().detail);
}

std::int32_t backing_files::lend(const std::function<file_descriptor()>& backing) {
  if (refused_) return 0;
  const auto file = backing();
  if (!file) return 0;
  const fuse_backing_map map{file.get(), 0, 0};
  const auto id = ioctl(device_, backing_open, &map);
  if (id > 0) return id;
  // Not this file system's file, or not this process.
  spdlog::info("no passthrough on this mount: {}", std::strerror(errno));
  refused_ = true;
  return 0;
}

void backing_files::add(const opened_file& file, std::int32_t backing_id) {
  auto place = rows_.size();
  if (free_.empty()) {
    rows_.emplace_back();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  rows_[place] = {file.handle, file.node, backing_id};
  places_[file.handle] = place;
  save(place);
}

// The table first: if this process dies in between, the kernel keeps the backing file until the session ends.
// The other way round the next process would lend a number that the kernel has not, and its open would fail.
void backing_files::remove(std::size_t place) {
  const auto was = std::exchange(rows_[place], {});
  save(place);
  places_.erase(was.handle);
  free_.push_back(place);
  const auto node = nodes_.find(was.node);
  if (--node->second.opens != 0) return;
  const auto id = static_cast<std::uint32_t>(node->second.backing_id);
  nodes_.erase(node);
  if (id != 0) ioctl(device_, backing_close, &id);  // fails only for one that the kernel has not
}

open_way backing_files::open(const opened_file& file, const std::function<file_descriptor()>& backing) {
  const std::lock_guard lock(mutex_);
  auto before = places_.find(file.handle);
  // A file without a name that is made once more is another one.
  if (before != places_.end() && rows_[before->second].node != file.node) {
    remove(before->second);
    before = places_.end();
  }
  if (before == places_.end()) {
    const auto [node, is_first] = nodes_.try_emplace(file.node);
    if (is_first) node->second.backing_id = lend(backing);
    ++node->second.opens;
    add(file, node->second.backing_id);
  }
  const auto id = nodes_.at(file.node).backing_id;
  ++(id != 0 ? counters_->opens_through : counters_->opens_by_fuse);
  return {id != 0, id};
}

bool backing_files::is_lent(std::uint64_t node) const {
  const std::lock_guard lock(mutex_);
  const auto known = nodes_.find(node);
  return known != nodes_.end() && known->second.backing_id != 0;
}

void backing_files::close(std::uint64_t handle) {
  const std::lock_guard lock(mutex_);
  const auto known = places_.find(handle);
  if (known != places_.end()) remove(known->second);
}

// With the lock: an open that comes meanwhile has the inode already, or makes it, so it is known.
void backing_files::forget(std::uint64_t node, const std::function<bool()>& is_known) {
  const std::lock_guard lock(mutex_);
  if (!nodes_.contains(node) || is_known()) return;
  for (std::size_t place = 0; place < rows_.size(); ++place)
    if (rows_[place].handle != 0 && rows_[place].node == node) remove(place);
}

}  // namespace firstlight
