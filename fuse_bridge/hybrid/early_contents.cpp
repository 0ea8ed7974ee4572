#include "fuse_bridge/hybrid/early_contents.hpp"

#include <fcntl.h>

#include "storage/file_io.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

constexpr std::size_t id_bytes = sizeof(content_id{}.root.bytes);

}  // namespace

std::filesystem::path early_contents::file_of(std::uint32_t toc_mark) const {
  return folder_ / std::to_string(toc_mark);
}

result<void> early_contents::keep(const toc_id& toc, std::span<const content_id> contents) const {
  if (folder_.empty()) return {};
  if (auto made = make_folders(folder_); !made) return made;
  std::vector<std::byte> bytes;
  bytes.reserve(contents.size() * id_bytes);
  for (const auto& id : contents) bytes.insert(bytes.end(), id.root.bytes.begin(), id.root.bytes.end());
  return write_file(file_of(mark_of(toc)), bytes);
}

void early_contents::forget(const toc_id& toc) const {
  std::error_code ignored;  // it is a matter of room only
  if (!folder_.empty()) std::filesystem::remove(file_of(mark_of(toc)), ignored);
}

void early_contents::forget_all() const {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::optional<content_id> early_contents::find(const early_content& content) const {
  if (folder_.empty()) return std::nullopt;
  const auto path = file_of(content.toc_mark).string();
  const auto file = open_at(AT_FDCWD, path, O_RDONLY);
  if (!file) return std::nullopt;
  content_id id;
  const auto got = read_at(file->get(), id.root.bytes, std::uint64_t{content.content} * id_bytes, path);
  return got && *got == id_bytes ? std::optional(id) : std::nullopt;
}

}  // namespace firstlight
