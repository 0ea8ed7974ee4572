#include "test/harness/filesystem/varied_tree.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include <fstream>
#include <stdexcept>

namespace firstlight::fstest {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> folders{".", "d", "d/e", "d/e/g", "empty"};
const std::vector<std::pair<std::string, std::size_t>> files{
    {"f0", 0}, {"f1", 100}, {"f2", 16'384}, {"d/f3", 50'001}, {"d/e/f4", 5'000}, {"d/e/g/f5", 40'000}};
const std::vector<varied_entry> links{{"l2", "f2"}, {"d/l2", "f2"}, {"empty/l5", "d/e/g/f5"}};
const std::string symlink = "link";
const std::string attributed = "attributed";

std::string random_bytes(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::string bytes(count, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() >> 56U);
  return bytes;
}

void check(int status, const std::string& what) {
  if (status != 0) throw std::runtime_error("cannot make a tree: " + what);
}

void set_time(const fs::path& path) {
  const timespec times[] = {varied_tree_time, varied_tree_time};
  check(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), path.string());
}

}  // namespace

varied_tree make_varied_tree(std::uint64_t seed, hard_links wanted) {
  varied_tree tree;
  tree.folders = folders;
  for (const auto& [path, bytes] : files)
    tree.files.push_back({path, random_bytes(seed + tree.files.size(), bytes)});
  tree.files.push_back({attributed, "a"});
  tree.symlinks.push_back({symlink, "d/f3"});
  if (wanted == hard_links::some) tree.hard_links = links;
  tree.attributed = attributed;
  tree.xattr = {"user.test1", "of the image"};
  return tree;
}

void write_tree(const varied_tree& tree, const fs::path& root) {
  for (const auto& folder : tree.folders) fs::create_directories(root / folder);
  for (const auto& [path, bytes] : tree.files) std::ofstream(root / path, std::ios::binary) << bytes;
  for (const auto& [path, target] : tree.symlinks) fs::create_symlink(target, root / path);
  for (const auto& [path, file] : tree.hard_links) fs::create_hard_link(root / file, root / path);
  const auto& [name, value] = tree.xattr;
  check(setxattr((root / tree.attributed).c_str(), name.c_str(), value.data(), value.size(), 0), name);
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_symlink()) fs::permissions(entry.path(), fs::perms(entry.is_directory() ? 0755 : 0644));
    set_time(entry.path());
  }
  fs::permissions(root, fs::perms(0755));
  set_time(root);
}

std::vector<operation> varied_operations(std::uint64_t seed, std::size_t count) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : files) paths.push_back(path);
  paths.push_back(symlink);
  paths.push_back(attributed);
  for (const auto& [path, file] : links) paths.push_back(path);
  return random_operations(seed, count, paths, folders);
}

}  // namespace firstlight::fstest
