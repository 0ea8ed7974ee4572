#include "fuse_bridge/hybrid/content_session.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "fuse_bridge/libfuse.hpp"

namespace firstlight {
namespace {

// Names follow from contents, so the kernel may keep what it knows for as long as it has memory.
constexpr double valid_seconds = 365.0 * 24 * 3600;

/// Node numbers: 1 the root, then the folders, of two characters each, and contents as content_directory
/// numbers them.
constexpr std::string_view folder_characters = "0123456789abcdef@";
constexpr fuse_ino_t first_folder = 2;
constexpr fuse_ino_t folders = folder_characters.size() * folder_characters.size();

bool is_folder(fuse_ino_t node) {
  return node >= first_folder && node < first_folder + folders;
}
std::optional<fuse_ino_t> folder_node(std::string_view name) {
  if (name.size() != 2) return std::nullopt;
  const auto high = folder_characters.find(name[0]);
  const auto low = folder_characters.find(name[1]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return first_folder + high * folder_characters.size() + low;
}
std::array<char, 2> folder_name(fuse_ino_t node) {
  const auto number = node - first_folder;
  return {folder_characters[number / folder_characters.size()],
          folder_characters[number % folder_characters.size()]};
}

content_session& session_of(fuse_req_t request) {
  return core_of<content_session>(fuse_req_userdata(request));
}

// Only overlayfs looks here, and shows the attributes of its own metadata.
struct stat attributes_of_node(fuse_ino_t node, std::uint64_t size) {
  const bool file = node >= first_folder + folders;
  struct stat out {};
  out.st_ino = node;
  out.st_mode = file ? S_IFREG | 0400U : S_IFDIR | 0500U;
  out.st_nlink = file ? 1 : 2;
  out.st_size = static_cast<off_t>(size);
  out.st_blksize = 4096;
  out.st_blocks = static_cast<blkcnt_t>((size + 511) / 512);
  return out;
}

void reply_entry(fuse_req_t request, fuse_ino_t node, std::uint64_t size) {
  fuse_entry_param entry{};
  entry.ino = node;
  entry.attr = attributes_of_node(node, size);
  entry.attr_timeout = entry.entry_timeout = valid_seconds;
  fuse_reply_entry(request, &entry);
}

void on_init(void* user, fuse_conn_info* connection) {
  const auto& limits = core_of<content_session>(user).parts.limits;
  connection->max_readahead = default_block_bytes;
  connection->max_background = limits.kernel_background_max;
  connection->congestion_threshold = limits.kernel_background_max;
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ |
                                             FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  connection->want |=
      connection->capable & static_cast<unsigned>(FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS);
}

void on_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  if (parent == FUSE_ROOT_ID) {
    const auto folder = folder_node(name);
    return folder ? reply_entry(request, *folder, 0) : void(fuse_reply_err(request, ENOENT));
  }
  std::optional<content_directory::found> content;
  if (is_folder(parent)) {
    const auto folder = folder_name(parent);
    content = session_of(request).parts.directory->find({{folder.data(), folder.size()}, name});
  }
  if (!content) return void(fuse_reply_err(request, ENOENT));
  ++content->member->image.counters->requests;
  reply_entry(request, content->node, content->size);
}

void on_forget(fuse_req_t request, fuse_ino_t, std::uint64_t) {
  fuse_reply_none(request);
}
void on_forget_multi(fuse_req_t request, std::size_t, fuse_forget_data*) {
  fuse_reply_none(request);
}

void on_getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
  std::uint64_t size = 0;
  if (node != FUSE_ROOT_ID && !is_folder(node)) {
    const auto content = session_of(request).parts.directory->find_node(node);
    if (!content) return void(fuse_reply_err(request, ESTALE));
    ++content->member->image.counters->requests;
    size = content->size;
  }
  const auto attributes = attributes_of_node(node, size);
  fuse_reply_attr(request, &attributes, valid_seconds);
}

// "Not implemented", as in mode `overlay`: docs/decisions/no-open.md.
void on_open(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
  fuse_reply_err(request, ENOSYS);
}

void on_read(fuse_req_t request, fuse_ino_t node, std::size_t bytes, off_t offset, fuse_file_info* file) {
  auto& session = session_of(request);
  const auto content = offset >= 0 ? session.parts.directory->find_node(node) : std::nullopt;
  if (!content) return void(fuse_reply_err(request, ESTALE));
  const auto& member = *content->member;
  ++member.image.counters->requests;
  ++member.image.counters->reads;
  const auto from = static_cast<std::uint64_t>(offset);
  const auto length = readable_bytes(content->size, from, bytes);
  if (length == 0) return void(fuse_reply_buf(request, nullptr, 0));
  serve_read(
      session.parts.reads, session.refused, request, member.image,
      {node, content->inode, content->content, from, length, (file->flags & O_DIRECT) != 0, content->notes},
      member.on_park);
}

void on_readdir(fuse_req_t request, fuse_ino_t, std::size_t, off_t, fuse_file_info*) {
  fuse_reply_buf(request, nullptr, 0);
}

void on_getxattr(fuse_req_t request, fuse_ino_t, const char*, std::size_t) {
  fuse_reply_err(request, ENOSYS);
}

void on_statfs(fuse_req_t request, fuse_ino_t) {
  struct statvfs numbers {};
  numbers.f_bsize = numbers.f_frsize = 4096;
  numbers.f_namemax = 255;
  fuse_reply_statfs(request, &numbers);
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = on_init;
  operations.lookup = on_lookup;
  operations.forget = on_forget;
  operations.forget_multi = on_forget_multi;
  operations.getattr = on_getattr;
  operations.open = on_open;
  operations.opendir = on_open;
  operations.read = on_read;
  operations.readdir = on_readdir;
  operations.getxattr = on_getxattr;
  operations.listxattr = [](fuse_req_t request, fuse_ino_t node, std::size_t bytes) {
    on_getxattr(request, node, nullptr, bytes);
  };
  operations.statfs = on_statfs;
  return operations;
}

}  // namespace

const fuse_lowlevel_ops& content_session::operations() const {
  static const fuse_lowlevel_ops operations = make_operations();
  return operations;
}

}  // namespace firstlight
