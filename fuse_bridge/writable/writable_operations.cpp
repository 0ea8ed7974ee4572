#include "fuse_bridge/writable/writable_operations.hpp"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>

#include "fuse_bridge/kernel_inode.hpp"
#include "fuse_bridge/kernel_resend.hpp"
#include "fuse_bridge/writable/repeated_requests.hpp"

namespace firstlight::writable_operations {
namespace {

constexpr const char* access_list = "system.posix_acl_access";

void on_init(void* user, fuse_conn_info* connection) {
  set_up(*connection, core_of<writable_session>(user).parts,
         FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_DONT_MASK | FUSE_CAP_POSIX_ACL);
}

void on_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const auto found = session_of(request).files->lookup(parent, name);
  if (found || found.error() != ENOENT) return answer(request, found);
  fuse_entry_param nothing{};  // inode 0: "it is not there", kept as long
  nothing.entry_timeout = valid_seconds;
  fuse_reply_entry(request, &nothing);
}

// The tree last: from then on a new file can have the number.
void forget(writable_session& session, fuse_ino_t number) {
  const auto is_known = [&] { return kernel_has_inode(session.device(), number); };
  // Of a file that is being made the kernel makes the inode when it has the answer.
  if (auto* const backing = session.backing.files(session))
    backing->forget(number, [&] { return session.files->is_open(number) || is_known(); });
  session.files->forget(number, is_known);
}
void on_forget(fuse_req_t request, fuse_ino_t number, std::uint64_t) {
  forget(session_of(request), number);
  fuse_reply_none(request);
}
void on_forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* all) {
  auto& session = session_of(request);
  for (const auto& one : std::span(all, count)) forget(session, one.ino);
  fuse_reply_none(request);
}

void on_getattr(fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
  answer(request, session_of(request).files->attributes(number));
}

attribute_changes changes_of(const struct stat& wanted, int valid) {
  attribute_changes changes;
  if ((valid & FUSE_SET_ATTR_MODE) != 0) changes.mode = wanted.st_mode;
  if ((valid & FUSE_SET_ATTR_UID) != 0) changes.uid = wanted.st_uid;
  if ((valid & FUSE_SET_ATTR_GID) != 0) changes.gid = wanted.st_gid;
  if ((valid & FUSE_SET_ATTR_SIZE) != 0) changes.size = static_cast<std::uint64_t>(wanted.st_size);
  if ((valid & FUSE_SET_ATTR_ATIME) != 0) changes.accessed = wanted.st_atim;
  if ((valid & FUSE_SET_ATTR_ATIME_NOW) != 0) changes.accessed.tv_nsec = UTIME_NOW;
  if ((valid & FUSE_SET_ATTR_MTIME) != 0) changes.modified = wanted.st_mtim;
  if ((valid & FUSE_SET_ATTR_MTIME_NOW) != 0) changes.modified.tv_nsec = UTIME_NOW;
  return changes;
}

void on_setattr(fuse_req_t request, fuse_ino_t number, struct stat* wanted, int valid, fuse_file_info*) {
  const auto changes = changes_of(*wanted, valid);
  try_patiently(
      request,
      [files = session_of(request).files, number, changes](pace how) {
        return files->set_attributes(number, changes, how);
      },
      [request](const patient_result<struct stat>& outcome) {
        if (!outcome) return void(fuse_reply_err(request, outcome.error().error_number));
        fuse_reply_attr(request, &*outcome, valid_seconds);
      });
}

void on_readlink(fuse_req_t request, fuse_ino_t number) {
  const auto target = session_of(request).files->read_link(number);
  if (!target) return void(fuse_reply_err(request, target.error()));
  fuse_reply_readlink(request, target->c_str());
}

void answer_made(fuse_req_t request, fuse_ino_t parent, const char* name, os_result<shown_file> outcome) {
  if (request_is_repeated())
    outcome = repeated::made(*core_of<writable_session>(fuse_req_userdata(request)).files, parent, name,
                             std::move(outcome));
  answer(request, outcome);
}
void answer_removed(fuse_req_t request, const os_result<void>& outcome) {
  answer(request, request_is_repeated() ? repeated::removed(outcome) : outcome);
}

void on_mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  answer_made(request, parent, name,
              session_of(request).files->make(parent, name, mode, device, maker_of(request),
                                              writable_tree::opened::no));
}
void on_mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  answer_made(request, parent, name,
              session_of(request).files->make(parent, name, S_IFDIR | (mode & 07777U), 0, maker_of(request),
                                              writable_tree::opened::no));
}
void on_symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  answer_made(request, parent, name,
              session_of(request).files->make_symlink(parent, name, target, maker_of(request)));
}
void on_unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer_removed(request, session_of(request).files->unlink(parent, name));
}
void on_rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer_removed(request, session_of(request).files->remove_folder(parent, name));
}
void exchange(fuse_req_t request, writable_tree& files, const layer_place& from, const layer_place& to) {
  const auto number = request_number();
  answer(request, request_is_repeated() && files.was_exchanged(from, to, number)
                      ? os_result<void>{}
                      : files.exchange(from, to, number));
  files.forget_exchange(number);
}
void on_rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
               const char* new_name, unsigned flags) {
  auto& files = *session_of(request).files;
  const layer_place from{parent, name};
  const layer_place to{new_parent, new_name};
  if (flags == RENAME_EXCHANGE) return exchange(request, files, from, to);
  const auto outcome = files.rename(from, to, flags);
  answer(request, request_is_repeated() ? repeated::moved(files, from, to, outcome) : outcome);
}
void on_link(fuse_req_t request, fuse_ino_t number, fuse_ino_t new_parent, const char* new_name) {
  answer_made(request, new_parent, new_name, session_of(request).files->link(number, new_parent, new_name));
}

void on_opendir(fuse_req_t request, fuse_ino_t number, fuse_file_info* folder) {
  auto& folders = session_of(request).folders;
  if (folders.open(number))
    folder->cache_readdir = folder->keep_cache = 1;  // until the kernel itself changes the folder
  if (fuse_reply_open(request, folder) != 0) folders.close(number);
}
void on_releasedir(fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
  session_of(request).folders.close(number);
  fuse_reply_err(request, 0);
}

// While the kernel asks, it lets nobody change the folder: what the answer binds to a name is what has it.
void list(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t from, listing what) {
  std::vector<char> buffer(bytes);
  std::size_t used = 0;
  std::string name;
  const auto add = [&](const listed_file& listed) {
    name = listed.name;
    auto* const at = buffer.data() + used;
    const auto room = buffer.size() - used;
    const auto next = static_cast<off_t>(listed.place + 1);
    const auto entry = entry_for(listed.file);
    const auto needed = what == listing::names
                            ? fuse_add_direntry(request, at, room, name.c_str(), &entry.attr, next)
                            : fuse_add_direntry_plus(request, at, room, name.c_str(), &entry, next);
    if (needed > room) return false;
    used += needed;
    return true;
  };
  const auto listed = session_of(request).files->list(number, static_cast<listing_place>(from), what, add);
  if (!listed) return void(fuse_reply_err(request, listed.error()));
  fuse_reply_buf(request, buffer.data(), used);
}

void on_readdir(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t from, fuse_file_info*) {
  list(request, number, bytes, from, listing::names);
}
void on_readdirplus(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t from, fuse_file_info*) {
  list(request, number, bytes, from, listing::names_and_attributes);
}

void answer_value(fuse_req_t request, const os_result<std::string>& value, std::size_t room) {
  value ? reply_value(request, *value, room) : void(fuse_reply_err(request, value.error()));
}

void on_getxattr(fuse_req_t request, fuse_ino_t number, const char* name, std::size_t room) {
  answer_value(request, session_of(request).files->get_xattr(number, name), room);
}
void on_listxattr(fuse_req_t request, fuse_ino_t number, std::size_t room) {
  const auto names = session_of(request).files->list_xattrs(number);
  names ? reply_names(request, *names, room) : void(fuse_reply_err(request, names.error()));
}

/// The groups of who asks; too few if the kernel does not tell of all.
std::vector<gid_t> groups_of(fuse_req_t request) {
  std::vector<gid_t> groups(NGROUPS_MAX);
  const int count = fuse_req_getgroups(request, NGROUPS_MAX, groups.data());
  groups.resize(static_cast<std::size_t>(std::clamp(count, 0, NGROUPS_MAX)));
  groups.push_back(fuse_req_ctx(request)->gid);
  return groups;
}

// An access list changes the mode. That somebody must not keep set-group-id then the kernel says in a field
// that libfuse 3.14 does not ask for (FUSE_SETXATTR_ACL_KILL_SGID).
os_result<void> set_access_list(fuse_req_t request, writable_tree& files, fuse_ino_t number,
                                std::string_view value, int flags) {
  auto set = files.set_xattr(number, access_list, value, flags);
  if (!set || fuse_req_ctx(request)->uid == 0) return set;
  return files.drop_set_group_id(number, groups_of(request));
}

void on_setxattr(fuse_req_t request, fuse_ino_t number, const char* name, const char* value,
                 std::size_t bytes, int flags) {
  auto& files = *session_of(request).files;
  const std::string_view wanted(value, bytes);
  const auto outcome = std::string_view(name) == access_list
                           ? set_access_list(request, files, number, wanted, flags)
                           : files.set_xattr(number, name, wanted, flags);
  answer(request, request_is_repeated() ? repeated::set(files, number, name, wanted, outcome) : outcome);
}
void on_removexattr(fuse_req_t request, fuse_ino_t number, const char* name) {
  answer_removed(request, session_of(request).files->remove_xattr(number, name));
}

void on_statfs(fuse_req_t request, fuse_ino_t) {
  const auto statistics = session_of(request).files->statistics();
  if (!statistics) return void(fuse_reply_err(request, statistics.error()));
  fuse_reply_statfs(request, &*statistics);
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = on_init;
  operations.lookup = on_lookup;
  operations.forget = on_forget;
  operations.forget_multi = on_forget_multi;
  operations.getattr = on_getattr;
  operations.setattr = on_setattr;
  operations.readlink = on_readlink;
  operations.mknod = on_mknod;
  operations.mkdir = on_mkdir;
  operations.symlink = on_symlink;
  operations.unlink = on_unlink;
  operations.rmdir = on_rmdir;
  operations.rename = on_rename;
  operations.link = on_link;
  operations.opendir = on_opendir;
  operations.releasedir = on_releasedir;
  operations.readdir = on_readdir;
  operations.readdirplus = on_readdirplus;
  operations.getxattr = on_getxattr;
  operations.listxattr = on_listxattr;
  operations.setxattr = on_setxattr;
  operations.removexattr = on_removexattr;
  operations.statfs = on_statfs;
  add_file_operations(operations);
  // Everything else libfuse answers with ENOSYS: flush has nothing to do, locks are the kernel's own,
  // ioctl(2) gives ENOTTY.
  return operations;
}

}  // namespace
}  // namespace firstlight::writable_operations

namespace firstlight {

const fuse_lowlevel_ops& writable_session::operations() const {
  static const fuse_lowlevel_ops all = writable_operations::make_operations();
  return all;
}

}  // namespace firstlight
