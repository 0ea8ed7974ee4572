#include <fcntl.h>

#include <array>
#include <map>

#include "model/image_path.hpp"
#include "storage/archive/decompress.hpp"
#include "storage/archive/tar_reader.hpp"
#include "storage/oci/file_source.hpp"
#include "storage/oci/layout_files.hpp"

namespace firstlight {
namespace {

constexpr int links_followed_max = 8;

struct part {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string link;  // not empty: the name of the file that is meant
};

std::string clean(std::string_view path) {
  std::string joined;
  for (const auto component : clean_components(path))
    joined.append(joined.empty() ? "" : "/").append(component);
  return joined;
}

// Old docker archives share equal layers by symbolic links between their folders.
std::string link_name(const layer_entry& entry) {
  if (entry.type == layer_entry_type::hard_link || entry.link_target.starts_with('/')) {
    return clean(entry.link_target);
  }
  const auto slash = entry.path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : entry.path.substr(0, slash + 1);
  return clean(folder + entry.link_target);
}

class archive_files : public layout_files {
 public:
  archive_files(std::string name, opened_file file) : name_(std::move(name)), file_(std::move(file)) {}

  result<void> index(const ingest_limits& limits) {
    file_source source(file_.file, name_, 0, file_.size);
    tar_reader tar(source, limits);
    while (true) {
      auto next = tar.next();
      if (!next) return fail(next.error(), name_);
      if (!*next) return {};
      if (parts_.size() >= limits.archive_entries_max)
        return fail(errc::limit_exceeded, "archive_entries_max");
      add((*next)->entry, {source.position(), (*next)->size, {}});
    }
  }

  result<std::unique_ptr<byte_source>> open(const std::string& file) const override {
    auto found = parts_.find(clean(file));
    for (int links = 0; found != parts_.end() && !found->second.link.empty(); ++links) {
      if (links == links_followed_max) return fail(errc::corrupt, name_ + ": too many links to " + file);
      found = parts_.find(found->second.link);
    }
    if (found == parts_.end()) return fail(errc::not_found, name_ + " holds no " + file);
    const auto& [offset, size, link] = found->second;
    return std::make_unique<file_source>(file_.file, name_ + ": " + file, offset, size);
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  void add(const layer_entry& entry, part where) {
    if (entry.type == layer_entry_type::symlink || entry.type == layer_entry_type::hard_link) {
      where.link = link_name(entry);
    } else if (entry.type != layer_entry_type::regular) {
      return;
    }
    parts_.insert_or_assign(clean(entry.path), std::move(where));
  }

  std::string name_;
  opened_file file_;
  std::map<std::string, part> parts_;
};

bool is_compressed(const opened_file& file) {
  std::array<std::byte, 4> front{};
  const auto got = read_at(file.file->get(), front, 0, "archive");
  if (!got || *got < front.size()) return false;
  const bool gzip = front[0] == std::byte{0x1f} && front[1] == std::byte{0x8b};
  const bool zstd = front[0] == std::byte{0x28} && front[1] == std::byte{0xb5} &&
                    front[2] == std::byte{0x2f} && front[3] == std::byte{0xfd};
  return gzip || zstd;
}

result<opened_file> unpack(const opened_file& packed, const std::string& name,
                           const std::filesystem::path& folder, const ingest_limits& limits) {
  auto spool = open_at(AT_FDCWD, folder.string(), O_TMPFILE | O_RDWR, 0600);
  if (!spool) return tl::unexpected(spool.error());
  auto plain = decompress(std::make_unique<file_source>(packed.file, name, 0, packed.size), limits);
  std::vector<std::byte> buffer(256U << 10U);
  std::uint64_t size = 0;
  while (true) {
    auto got = plain->read(buffer);
    if (!got) return fail(got.error(), name);
    if (*got == 0) break;
    if (auto ok = write_at(spool->get(), bytes_view(buffer).first(*got), size, folder.string()); !ok) {
      return tl::unexpected(ok.error());
    }
    size += *got;
  }
  return opened_file{std::make_shared<const file_descriptor>(std::move(*spool)), size};
}

}  // namespace

result<std::unique_ptr<layout_files>> open_archive(const std::filesystem::path& path,
                                                   const std::filesystem::path& spool_folder,
                                                   const ingest_limits& limits) {
  auto file = open_regular(path.string());
  if (!file) return tl::unexpected(file.error());
  if (is_compressed(*file)) file = unpack(*file, path.string(), spool_folder, limits);
  if (!file) return tl::unexpected(file.error());
  auto files = std::make_unique<archive_files>(path.string(), std::move(*file));
  if (auto ok = files->index(limits); !ok) return tl::unexpected(ok.error());
  return files;
}

}  // namespace firstlight
