#include "storage/segment_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "storage/posix_file.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

constexpr std::size_t header_bytes = sizeof(digest);  // SHA-256 of the frame that follows
constexpr std::string_view temporary_suffix = ".new";

result<std::vector<std::byte>> read_file(const std::filesystem::path& path) {
  auto file = open_at(AT_FDCWD, path.string(), O_RDONLY);
  if (!file) return tl::make_unexpected(file.error());
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return tl::make_unexpected(from_errno(errno, path.string()));
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  const auto got = read_at(file->get(), bytes, 0, path.string());
  if (!got) return tl::make_unexpected(got.error());
  bytes.resize(*got);
  return bytes;
}

}  // namespace

segment_cache::segment_cache(std::filesystem::path folder, std::uint64_t bytes_max)
    : folder_(std::move(folder)), bytes_max_(bytes_max) {}

result<std::unique_ptr<segment_cache>> segment_cache::open(std::filesystem::path folder,
                                                           std::uint64_t bytes_max) {
  std::unique_ptr<segment_cache> cache(new segment_cache(std::move(folder), bytes_max));
  if (auto loaded = cache->load(); !loaded) return tl::make_unexpected(loaded.error());
  return cache;
}

std::filesystem::path segment_cache::path_of(const digest& key) const {
  return folder_ / key.hex();
}

result<void> segment_cache::load() {
  if (auto made = make_folders(folder_); !made) return made;
  struct aged {
    entry found;
    std::filesystem::file_time_type used;
  };
  std::vector<aged> all;
  std::error_code failure;
  for (const auto& file : std::filesystem::directory_iterator(folder_, failure)) {
    const auto key = parse_hex_digest(file.path().filename().string());
    std::error_code gone;
    if (key)
      all.push_back({{*key, file.file_size(gone)}, file.last_write_time(gone)});
    else
      std::filesystem::remove(file.path(), gone);  // a temporary file of an earlier run
  }
  if (failure) return tl::make_unexpected(from_errno(failure.value(), folder_.string()));
  std::sort(all.begin(), all.end(), [](const aged& a, const aged& b) { return a.used < b.used; });
  for (const auto& each : all) add(each.found.key, each.found.bytes);
  const std::scoped_lock guard(lock_);
  evict();
  return {};
}

result<shared_bytes> segment_cache::get_or_build(const digest& key, const builder& build) {
  {
    std::unique_lock guard(lock_);
    built_.wait(guard, [&] { return !building_.contains(key); });
    if (!places_.contains(key)) {
      building_.insert(key);
      guard.unlock();
      return build_and_keep(key, build);
    }
  }
  if (auto found = find(key)) return std::move(*found);
  return get_or_build(key, build);
}

std::optional<shared_bytes> segment_cache::find(const digest& key) {
  {
    const std::scoped_lock guard(lock_);
    if (!places_.contains(key)) return std::nullopt;
  }
  auto found = read(key);
  if (!found) {
    forget(key);  // evicted or damaged meanwhile
    return std::nullopt;
  }
  const std::scoped_lock guard(lock_);
  ++counters_.hits;
  if (const auto place = places_.find(key); place != places_.end())
    recent_.splice(recent_.begin(), recent_, place->second);
  return std::move(*found);
}

std::optional<std::uint64_t> segment_cache::size_of(const digest& key) const {
  const std::scoped_lock guard(lock_);
  const auto place = places_.find(key);
  if (place == places_.end()) return std::nullopt;
  return place->second->bytes - std::min<std::uint64_t>(place->second->bytes, header_bytes);
}

result<void> segment_cache::put(const digest& key, bytes_view frame) {
  if (auto kept = keep(key, frame); !kept) return kept;
  add(key, frame.size() + header_bytes);
  const std::scoped_lock guard(lock_);
  ++counters_.put;
  evict();
  return {};
}

result<shared_bytes> segment_cache::build_and_keep(const digest& key, const builder& build) {
  auto frame = build();
  const bool kept = frame && keep(key, *frame);
  if (kept) add(key, frame->size() + header_bytes);
  {
    const std::scoped_lock guard(lock_);
    building_.erase(key);
    if (frame) ++counters_.builds;
    if (frame && !kept) ++counters_.write_failures;
    evict();
  }
  built_.notify_all();
  if (!frame) return tl::make_unexpected(frame.error());
  return share(std::move(*frame));
}

result<shared_bytes> segment_cache::read(const digest& key) const {
  auto bytes = read_file(path_of(key));
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (bytes->size() < header_bytes) return fail(errc::corrupt, "a cached segment is too short");
  const auto frame = bytes_view(*bytes).subspan(header_bytes);
  const auto sum = sha256(frame);
  if (!std::equal(sum.bytes.begin(), sum.bytes.end(), bytes->begin()))
    return fail(errc::corrupt, "a cached segment is damaged");
  ::utimensat(AT_FDCWD, path_of(key).c_str(), nullptr, 0);  // the order of use outlives a restart
  auto whole = share(std::move(*bytes));
  return shared_bytes{whole.bytes.subspan(header_bytes), whole.owner};
}

result<void> segment_cache::keep(const digest& key, bytes_view frame) {
  const auto path = path_of(key).string();
  const auto temporary = path + std::string(temporary_suffix) + std::to_string(next_++);
  auto file = open_at(AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return tl::make_unexpected(file.error());
  const auto sum = sha256(frame);
  auto written = write_at(file->get(), sum.bytes, 0, temporary);
  if (written) written = write_at(file->get(), frame, header_bytes, temporary);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = tl::make_unexpected(from_errno(errno, path));
  if (!written) ::unlink(temporary.c_str());
  return written;
}

void segment_cache::add(const digest& key, std::uint64_t bytes) {
  const std::scoped_lock guard(lock_);
  if (const auto place = places_.find(key); place != places_.end()) {
    counters_.bytes -= place->second->bytes;
    recent_.erase(place->second);
  }
  recent_.push_front({key, bytes});
  places_[key] = recent_.begin();
  counters_.bytes += bytes;
}

void segment_cache::forget(const digest& key) {
  const std::scoped_lock guard(lock_);
  const auto place = places_.find(key);
  if (place == places_.end()) return;
  ::unlink(path_of(key).c_str());
  counters_.bytes -= place->second->bytes;
  recent_.erase(place->second);
  places_.erase(place);
}

void segment_cache::evict() {
  while (counters_.bytes > bytes_max_ && !recent_.empty()) {
    const auto& oldest = recent_.back();
    ::unlink(path_of(oldest.key).c_str());  // a file that stays is found again by the next open
    counters_.bytes -= oldest.bytes;
    places_.erase(oldest.key);
    recent_.pop_back();
  }
}

segment_cache::counters segment_cache::count() const {
  const std::scoped_lock guard(lock_);
  return counters_;
}

}  // namespace firstlight
