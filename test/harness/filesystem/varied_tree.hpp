#pragma once
#include <sys/stat.h>

#include <filesystem>

#include "test/harness/filesystem/operation.hpp"

namespace firstlight::fstest {

/// A name and what it is of.
struct varied_entry {
  std::string path;
  std::string of;  ///< a file's bytes, a symbolic link's target, a hard link's other name
};

/// A small tree that sequences of operations start from: tests make an image of it, and `write_tree` a
/// folder.
struct varied_tree {
  std::vector<std::string> folders;  ///< parents first; "." is the root
  std::vector<varied_entry> files;   ///< of several sizes; their bytes compress badly
  std::vector<varied_entry> symlinks;
  std::vector<varied_entry> hard_links;
  /// One of the files, and its extended attribute.
  std::string attributed;
  varied_entry xattr;
};

/// All is of root, modes are 0755 and 0644.
inline constexpr timespec varied_tree_time{1'600'000'000, 123'456'789};

enum class hard_links : std::uint8_t { none, some };

/// Equal seeds make equal bytes; all else is always the same.
[[nodiscard]] varied_tree make_varied_tree(std::uint64_t seed, hard_links links);

/// Makes it in an existing empty folder. Throws std::runtime_error.
void write_tree(const varied_tree& tree, const std::filesystem::path& root);

/// What to do to such a tree; depends on the seed alone.
[[nodiscard]] std::vector<operation> varied_operations(std::uint64_t seed, std::size_t count);

}  // namespace firstlight::fstest
