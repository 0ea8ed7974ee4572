#include "test/harness/filesystem/operation.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <climits>

namespace firstlight::fstest {
namespace {

constexpr std::array names{"write",
                           "append",
                           "read",
                           "truncate",
                           "truncate_path",
                           "make_file",
                           "make_folder",
                           "remove_folder",
                           "unlink",
                           "rename",
                           "link",
                           "symlink",
                           "make_special",
                           "change_mode",
                           "change_owner",
                           "set_time",
                           "set_xattr",
                           "get_xattr",
                           "list_xattrs",
                           "remove_xattr",
                           "allocate",
                           "copy_range",
                           "map_write",
                           "list",
                           "list_begin",
                           "list_more",
                           "list_end",
                           "sync_folder",
                           "look",
                           "read_link",
                           "hold",
                           "held_write",
                           "held_read",
                           "held_truncate",
                           "held_sync",
                           "held_look",
                           "held_lock",
                           "let_go",
                           "open_as_user",
                           "make_unnamed",
                           "find_holes",
                           "ask_space",
                           "ask_terminal",
                           "held_find_holes",
                           "held_change_mode",
                           "held_change_owner",
                           "held_set_time",
                           "held_set_xattr",
                           "held_lock_range",
                           "held_ask_range",
                           "held_lock_as_process"};
static_assert(names.size() == static_cast<std::size_t>(action::count_));

constexpr std::uint32_t slots = 4;

class generator {
 public:
  generator(std::uint64_t seed, const std::vector<std::string>& files,
            const std::vector<std::string>& folders)
      : random_(seed), paths_(files), folders_(folders) {
    paths_.insert(paths_.end(), folders.begin(), folders.end());
    for (const auto& folder : folders)
      for (const auto* name : {"new", "a", "b"}) paths_.push_back((folder == "." ? "" : folder + "/") + name);
    const std::string too_long(NAME_MAX + 1, 'n');
    paths_.push_back(too_long);
    paths_.push_back(folders.back() + "/" + too_long);
    for (const auto* inside : {"/new", "/a"}) {
      paths_.push_back(folders.back() + "/a" + inside);
      paths_.push_back(std::string("new") + inside);
    }
  }

  operation next() {
    operation made;
    made.what = static_cast<action>(below(static_cast<std::uint32_t>(action::count_)));
    made.path = any(paths_);
    made.other = any(paths_);
    made.slot = below(slots);
    made.offset = place();
    made.size = place();
    made.mode = std::array{0644U, 0600U, 0755U, 04711U, 01777U, 04777U}.at(below(6));
    refine(made);
    return made;
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  const std::string& any(const std::vector<std::string>& from) {
    return from[below(static_cast<std::uint32_t>(from.size()))];
  }
  // Around blocks and pages, mostly small.
  std::int64_t place() {
    const std::int64_t base = std::array<std::int64_t, 6>{0, 0, 100, 4096, 16384, 50'000}.at(below(6));
    return base + below(3) * 17;
  }

  void refine(operation& made) {
    switch (made.what) {
      case action::write:
        made.flags = std::array<std::uint32_t, 4>{0, O_CREAT, O_TRUNC, O_CREAT | O_TRUNC}.at(below(4));
        break;
      case action::rename:
        made.flags = std::array<std::uint32_t, 4>{0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE}.at(below(4));
        break;
      case action::allocate:
        made.flags =
            std::array<std::uint32_t, 4>{0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                         FALLOC_FL_ZERO_RANGE}
                .at(below(4));
        made.size += 1;
        break;
      case action::change_owner:
      case action::held_change_owner:
        made.offset = below(3) * 1000;
        made.size = below(3) * 1000;
        break;
      case action::set_time:
      case action::held_set_time:
        made.offset = 1'000'000'000 + below(1'000'000);
        made.size = std::array<std::int64_t, 3>{below(1'000'000'000), UTIME_NOW, UTIME_OMIT}.at(below(3));
        break;
      case action::held_lock:
        made.flags = std::array<std::uint32_t, 3>{LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN}.at(below(3));
        break;
      case action::held_lock_range:
      case action::held_ask_range:
      case action::held_lock_as_process:
        made.flags = std::array<std::uint32_t, 3>{F_RDLCK, F_WRLCK, F_UNLCK}.at(below(3));
        break;
      case action::open_as_user:
        made.flags = std::array<std::uint32_t, 6>{O_RDONLY,           O_WRONLY,           O_RDWR,
                                                  O_WRONLY | O_CREAT, O_WRONLY | O_TRUNC, O_RDWR | O_TRUNC}
                         .at(below(6));
        break;
      case action::set_xattr:
      case action::held_set_xattr:
      case action::get_xattr:
      case action::remove_xattr:
        made.size = below(3);
        made.offset = below(200);
        made.flags = below(3);
        break;
      case action::make_special:
        made.flags = std::array<std::uint32_t, 4>{S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK}.at(below(4));
        break;
      case action::make_unnamed:
      case action::sync_folder:
      case action::list:
      case action::list_begin:
        made.path = any(folders_);
        break;
      default:
        break;
    }
  }

  std::mt19937_64 random_;
  std::vector<std::string> paths_;
  std::vector<std::string> folders_;
};

}  // namespace

bool uses_held_file(action what) {
  switch (what) {
    case action::held_write:
    case action::held_read:
    case action::held_truncate:
    case action::held_sync:
    case action::held_look:
    case action::held_lock:
    case action::held_find_holes:
    case action::held_change_mode:
    case action::held_change_owner:
    case action::held_set_time:
    case action::held_set_xattr:
    case action::held_lock_range:
    case action::held_ask_range:
    case action::held_lock_as_process:
      return true;
    default:
      return false;
  }
}

std::string to_text(const operation& what) {
  std::string text = names.at(static_cast<std::size_t>(what.what));
  text += " " + what.path + " other=" + what.other + " offset=" + std::to_string(what.offset) +
          " size=" + std::to_string(what.size) + " flags=" + std::to_string(what.flags) +
          " slot=" + std::to_string(what.slot);
  return text;
}

std::vector<operation> random_operations(std::uint64_t seed, std::size_t count,
                                         const std::vector<std::string>& files,
                                         const std::vector<std::string>& folders) {
  generator all(seed, files, folders);
  std::vector<operation> made;
  made.reserve(count);
  while (made.size() < count) made.push_back(all.next());
  return made;
}

std::string bytes_of(const operation& what) {
  std::mt19937 random(static_cast<std::uint32_t>(what.offset * 31 + what.size * 7 + what.slot));
  std::string bytes(static_cast<std::size_t>(what.size), '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

}  // namespace firstlight::fstest
