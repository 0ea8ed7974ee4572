#include "fuse_bridge/backing_files.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

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

}  // namespace

result<std::unique_ptr<backing_files>> backing_files::open_table(int device,
                                                                 const std::filesystem::path& table,
                                                                 std::shared_ptr<session_counters> counters) {
  auto file = open_at(AT_FDCWD, table, O_RDWR | O_CREAT, 0600);
  if (!file) return tl::unexpected(file.error());
  std::unique_ptr<backing_files> made(new backing_files(device, std::move(*file), std::move(counters)));
  if (auto loaded = made->load(); !loaded) return tl::unexpected(loaded.error());
  return made;
}

result<void> backing_files::load() {
  for (;;) {
    row one;
    const auto bytes = std::as_writable_bytes(std::span(&one, 1));
    const auto got = read_at(table_.get(), bytes, rows_.size() * sizeof one, "read the table of open files");
    if (!got) return tl::unexpected(got.error());
    if (*got != sizeof one) return {};
    if (one.opens == 0)
      free_.push_back(rows_.size());
    else
      places_[one.node] = rows_.size();
    rows_.push_back(one);
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

open_way backing_files::open(std::uint64_t node, const std::function<file_descriptor()>& backing) {
  const std::lock_guard lock(mutex_);
  auto known = places_.find(node);
  if (known == places_.end()) {
    auto place = rows_.size();
    if (free_.empty()) {
      rows_.emplace_back();
    } else {
      place = free_.back();
      free_.pop_back();
    }
    rows_[place] = {node, 0, lend(backing)};
    known = places_.emplace(node, place).first;
  }
  auto& one = rows_[known->second];
  ++one.opens;
  save(known->second);
  const bool through = one.backing_id != 0;
  ++(through ? counters_->opens_through : counters_->opens_by_fuse);
  return {through, one.backing_id};
}

void backing_files::close(std::uint64_t node) {
  const std::lock_guard lock(mutex_);
  const auto known = places_.find(node);
  if (known == places_.end()) return;
  const auto place = known->second;
  auto& one = rows_[place];
  if (--one.opens == 0) {
    const auto id = static_cast<std::uint32_t>(one.backing_id);
    if (id != 0) ioctl(device_, backing_close, &id);  // fails only for one that the kernel has not
    places_.erase(known);
    free_.push_back(place);
  }
  save(place);
}

}  // namespace firstlight
