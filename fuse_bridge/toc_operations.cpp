#include "fuse_bridge/toc_operations.hpp"

#include <fcntl.h>

#include <cerrno>
#include <climits>
#include <span>

#include "fuse_bridge/kernel_inode.hpp"
#include "fuse_bridge/kernel_replies.hpp"
#include "fuse_bridge/kernel_resend.hpp"
#include "fuse_bridge/open_reply.hpp"
#include "fuse_bridge/session_context.hpp"

namespace firstlight {
namespace {

session_context& context_of(fuse_req_t request) {
  auto& context = core_of<session_context>(fuse_req_userdata(request));
  ++context.parts.image.counters->requests;
  return context;
}

// The kernel only knows numbers that it was told, but what reads outside bytes checks them.
bool known(const toc_view& toc, fuse_ino_t number) {
  return number >= 1 && number <= toc.inode_count();
}

struct stat attributes_of(const session_context& context, inode_number number) {
  return firstlight::attributes_of(context.parts.image.toc->inode(number), number, context.directories);
}

fuse_entry_param entry_for(const session_context& context, inode_number number) {
  fuse_entry_param entry{};
  entry.ino = number;
  entry.attr = attributes_of(context, number);
  entry.attr_timeout = entry.entry_timeout = valid_seconds;
  return entry;
}

void on_init(void* user, fuse_conn_info* connection) {
  // No file handles (FUSE_CAP_EXPORT_SUPPORT): overlayfs would find the origin of a file that was written and
  // renamed by one after a remount, and then answer ESTALE.
  const auto& parts = core_of<session_context>(user).parts;
  // The kernel asks for the access list of each file then, once, when somebody but its owner uses it.
  const bool asks = has_access_lists(*parts.image.toc);
  set_up(*connection, parts, asks ? unsigned{FUSE_CAP_POSIX_ACL} : 0U);
}

void on_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const auto& context = context_of(request);
  const auto& toc = *context.parts.image.toc;
  if (!known(toc, parent)) return void(fuse_reply_err(request, ESTALE));
  const auto directory = toc.inode(static_cast<inode_number>(parent));
  if (directory.type != file_type::directory) return void(fuse_reply_err(request, ENOTDIR));
  if (std::string_view(name).size() > NAME_MAX) return void(fuse_reply_err(request, ENAMETOOLONG));
  const auto found = toc.lookup(directory, name);
  fuse_entry_param entry{};  // inode 0: "it is not there", kept as long
  entry.entry_timeout = valid_seconds;
  if (found) entry = entry_for(context, *found);
  fuse_reply_entry(request, &entry);
}

void forget(fuse_req_t request, fuse_ino_t number) {
  auto& context = core_of<session_context>(fuse_req_userdata(request));
  if (auto* const backing = context.backing.files(context))
    backing->forget(number, [&] { return kernel_has_inode(context.device(), number); });
}
void on_forget(fuse_req_t request, fuse_ino_t number, std::uint64_t) {
  forget(request, number);
  fuse_reply_none(request);
}
void on_forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* all) {
  for (const auto& one : std::span(all, count)) forget(request, one.ino);
  fuse_reply_none(request);
}

void on_getattr(fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
  const auto& context = context_of(request);
  if (!known(*context.parts.image.toc, number)) return void(fuse_reply_err(request, ESTALE));
  const auto attributes = attributes_of(context, static_cast<inode_number>(number));
  fuse_reply_attr(request, &attributes, valid_seconds);
}

void on_readlink(fuse_req_t request, fuse_ino_t number) {
  const auto& toc = *context_of(request).parts.image.toc;
  if (!known(toc, number)) return void(fuse_reply_err(request, ESTALE));
  const auto inode = toc.inode(static_cast<inode_number>(number));
  if (inode.type != file_type::symlink) return void(fuse_reply_err(request, EINVAL));
  fuse_reply_buf(request, inode.symlink_target.data(), inode.symlink_target.size());
}

// "Not implemented": the kernel opens by itself from now on, keeps its cache, and never asks again.
// Contents do not change, so without passthrough there is nothing to say at an open
// (docs/decisions/no-open.md).
void on_opendir(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
  context_of(request);
  fuse_reply_err(request, ENOSYS);
}

/// Whether it may be worth a backing file; of others the session keeps no count.
bool is_large(const toc_view& toc, const backing_files& backing, fuse_ino_t number) {
  return toc.inode(static_cast<inode_number>(number)).size >= backing.bytes_min();
}

file_descriptor whole_contents(const session_context& context, const inode_view& inode) {
  const auto& toc = *context.parts.image.toc;
  if (inode.content == image_inode::no_content || !toc.contents_known()) return {};
  const auto file = context.parts.reads.store->open_complete(toc.content(inode.content));
  return file ? file_descriptor(*file) : file_descriptor{};
}

void on_open(fuse_req_t request, fuse_ino_t number, fuse_file_info* file) {
  auto& context = context_of(request);
  auto* const backing = context.backing.files(context);
  if (backing == nullptr) return void(fuse_reply_err(request, ENOSYS));
  const auto& toc = *context.parts.image.toc;
  if (!known(toc, number)) return void(fuse_reply_err(request, ESTALE));
  if (!is_large(toc, *backing, number)) {
    ++context.parts.image.counters->opens_by_fuse;
    return void(reply_open(request, {}, *file));
  }
  file->fh = request_number();
  const auto way = backing->open({file->fh, number}, [&] {
    return whole_contents(context, toc.inode(static_cast<inode_number>(number)));
  });
  if (reply_open(request, way, *file) != 0) backing->close(file->fh);
}

void on_release(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  auto& context = context_of(request);
  auto* const backing = context.backing.files(context);
  if (backing != nullptr) backing->close(file->fh);
  fuse_reply_err(request, 0);
}

void on_read(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t offset, fuse_file_info* file) {
  auto& context = context_of(request);
  if (!known(*context.parts.image.toc, number) || offset < 0) return void(fuse_reply_err(request, ESTALE));
  const auto& parts = context.parts;
  const auto inode = static_cast<inode_number>(number);
  const auto entry = parts.image.toc->inode(inode);
  const auto from = static_cast<std::uint64_t>(offset);
  const auto length = readable_bytes(entry.size, from, bytes);
  ++parts.image.counters->reads;
  if (entry.content == image_inode::no_content || length == 0)
    return void(fuse_reply_buf(request, nullptr, 0));
  serve_read(parts.reads, context.refused, request, parts.image,
             {number, inode, entry.content, from, length, (file->flags & O_DIRECT) != 0,
              own_note(parts.image.recorder, entry.content)},
             parts.on_park);
}

enum class listing { names, names_and_attributes };

/// Fills a buffer with entries. An entry's offset is its place in the sorted directory, so it means
/// the same whenever and in whatever order it is used.
class directory_filler {
 public:
  directory_filler(fuse_req_t request, std::size_t bytes, listing what)
      : request_(request), buffer_(bytes), what_(what) {}

  /// @returns false when it did not fit.
  bool add(const session_context& context, const char* name, inode_number number, off_t next) {
    const auto entry = entry_for(context, number);
    char* const at = buffer_.data() + used_;
    const auto room = buffer_.size() - used_;
    const auto needed = what_ == listing::names
                            ? fuse_add_direntry(request_, at, room, name, &entry.attr, next)
                            : fuse_add_direntry_plus(request_, at, room, name, &entry, next);
    if (needed > room) return false;
    used_ += needed;
    return true;
  }
  void reply() { fuse_reply_buf(request_, buffer_.data(), used_); }

 private:
  fuse_req_t request_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  listing what_;
};

void list(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t offset, listing what) {
  const auto& context = context_of(request);
  const auto& toc = *context.parts.image.toc;
  if (!known(toc, number) || offset < 0) return void(fuse_reply_err(request, ESTALE));
  const auto self = static_cast<inode_number>(number);
  const auto directory = toc.inode(self);
  if (directory.type != file_type::directory) return void(fuse_reply_err(request, ENOTDIR));
  directory_filler filler(request, bytes, what);
  const auto entries = toc.entry_count(directory);
  std::string name;
  for (auto place = static_cast<std::uint64_t>(offset); place < std::uint64_t{entries} + 2; ++place) {
    auto child = place == 0 ? self : toc.parent(directory);
    name = place == 0 ? "." : "..";
    if (place >= 2) {
      const auto entry = toc.entry(directory, static_cast<std::uint32_t>(place - 2));
      name = entry.name;
      child = entry.inode;
    }
    if (!filler.add(context, name.c_str(), child, static_cast<off_t>(place + 1))) break;
  }
  filler.reply();
}

void on_readdir(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t offset, fuse_file_info*) {
  list(request, number, bytes, offset, listing::names);
}
void on_readdirplus(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t offset, fuse_file_info*) {
  list(request, number, bytes, offset, listing::names_and_attributes);
}

void on_getxattr(fuse_req_t request, fuse_ino_t number, const char* name, std::size_t room) {
  const auto& context = context_of(request);
  // The kernel does not ask again: an overlayfs above asks at every first look-up otherwise.
  if (!context.image_has_xattrs) return void(fuse_reply_err(request, ENOSYS));
  const auto& toc = *context.parts.image.toc;
  if (!known(toc, number)) return void(fuse_reply_err(request, ESTALE));
  const auto inode = toc.inode(static_cast<inode_number>(number));
  const auto value = find_xattr(toc, inode, name, context.parts.naming);
  if (!value) return void(fuse_reply_err(request, ENODATA));
  reply_value(request, *value, room);
}

void on_listxattr(fuse_req_t request, fuse_ino_t number, std::size_t room) {
  const auto& context = context_of(request);
  const auto& toc = *context.parts.image.toc;
  if (!known(toc, number)) return void(fuse_reply_err(request, ESTALE));
  // Never "not implemented": an image without attributes has empty lists, as on any file system.
  reply_names(request, list_xattrs(toc, toc.inode(static_cast<inode_number>(number)), context.parts.naming),
              room);
}

void on_statfs(fuse_req_t request, fuse_ino_t) {
  const auto statistics = statistics_of(*context_of(request).parts.image.toc);
  fuse_reply_statfs(request, &statistics);
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = on_init;
  operations.lookup = on_lookup;
  operations.forget = on_forget;
  operations.forget_multi = on_forget_multi;
  operations.getattr = on_getattr;
  operations.readlink = on_readlink;
  operations.open = on_open;
  operations.read = on_read;
  operations.release = on_release;
  operations.opendir = on_opendir;
  operations.readdir = on_readdir;
  operations.readdirplus = on_readdirplus;
  operations.getxattr = on_getxattr;
  operations.listxattr = on_listxattr;
  operations.statfs = on_statfs;
  return operations;  // everything else, flush among it, libfuse answers with ENOSYS
}

}  // namespace

const fuse_lowlevel_ops& toc_operations() {
  static const fuse_lowlevel_ops operations = make_operations();
  return operations;
}

}  // namespace firstlight
