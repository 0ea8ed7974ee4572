#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <iterator>

#include "test/fuse_bridge/whole_contents.hpp"
#include "test/harness/skipped.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {

inline bool marks_are_possible() {
  if (geteuid() == 0) return true;
  test::note_skipped("the marks of a layer need root");
  return false;
}

/// How a process ends.
enum class ending { stop, death };

/// One session of the kernel, and the tree of the process that answers it.
struct session_bench {
  session_bench() {
    image_builder builder;
    builder.file("one", "1");
    builder.symlink("link", "one");
    builder.device("pipe", file_type::fifo, 0, 0);
    builder.hard_link("other link", "link");
    builder.file("folder/in", "2");
    builder.file("deep/er/file", "3");
    image = builder.build();
    store.emplace(folder.path() / "store", image);
    start();
  }

  /// The kernel has another session.
  void start() {
    tree.reset();
    open(session_life::fresh);
  }
  /// The next process answers.
  void take_over(ending of_this = ending::stop) {
    if (of_this == ending::death) dead.push_back(std::move(tree));  // it tidies nothing up
    if (tree) tree->leave();
    tree.reset();
    open(session_life::taken_over);
  }
  [[nodiscard]] node_number number(const char* name) const { return tree->lookup(root_inode, name)->number; }
  [[nodiscard]] bool change_owner(node_number node, uid_t owner) const {
    attribute_changes changes;
    changes.uid = owner;
    const auto changed = tree->set_attributes(node, changes, pace::at_once);
    return changed && changed->st_uid == owner;
  }
  [[nodiscard]] bool change_mode(node_number node, mode_t mode) const {
    attribute_changes changes;
    changes.mode = mode;
    const auto changed = tree->set_attributes(node, changes, pace::at_once);
    return changed && (changed->st_mode & 07777U) == mode;
  }
  /// The kernel forgets it, and has nothing of it left.
  void forget(node_number node) const {
    tree->forget(node, [] { return false; });
  }
  /// How many files the work folder keeps without a name on the mount.
  [[nodiscard]] std::ptrdiff_t kept() const {
    const std::filesystem::directory_iterator all(folder.path() / "work" / "firstlight-kept");
    return std::distance(begin(all), end(all));
  }

  temporary_folder folder;
  image_builder::built image;
  std::optional<whole_contents> store;
  std::shared_ptr<writable_tree> tree;
  std::vector<std::shared_ptr<writable_tree>> dead;

 private:
  void open(session_life life) {
    tree = *writable_tree::open(image.toc, 7, *store, {folder.path() / "upper", folder.path() / "work"},
                                1U << 20U, life);
  }
};

inline std::string read_own(writable_tree& tree, node_number number) {
  const auto own = tree.file_of(number);
  if (!own || *own == nullptr) return own ? "the image's" : "refused";
  std::string bytes(100, '\0');
  const auto got = pread((*own)->get(), bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

}  // namespace firstlight
