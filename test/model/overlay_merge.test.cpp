#include "model/overlay_merge.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>

namespace firstlight {
namespace {

using layers = std::vector<std::vector<layer_entry>>;

layer_entry make_entry(std::string path, layer_entry_type type, std::uint16_t permissions,
                       std::string target = {}) {
  return {.path = std::move(path),
          .type = type,
          .permissions = permissions,
          .modified = {},
          .link_target = std::move(target),
          .content = {},
          .xattrs = {}};
}

/// All at once, from lowest to highest.
result<image_tree> merge_layers(const layers& all, merge_limits limits = {}) {
  overlay_merger merger(limits);
  for (const auto& layer : all) {
    merger.begin_layer();
    for (const auto& entry : layer) {
      if (auto ok = merger.apply(entry); !ok) return tl::unexpected(ok.error());
    }
  }
  return merger.finish();
}

/// What is seen of a path: type, permissions, target.
using seen = std::tuple<int, int, std::string>;
using flat = std::map<std::string, seen>;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}
bool below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder + "/");
}

/// The oracle: applies layers to a map of paths; knows no links in parents and no inodes.
flat apply_to_map(const layers& all) {
  flat files;
  for (const auto& layer : all) {
    std::set<std::string> own;
    const auto erase = [&](const std::string& path, bool itself, bool all_below) {
      std::erase_if(files, [&](const auto& file) {
        const bool inside = below(file.first, path) || (itself && file.first == path);
        return inside && (all_below || !own.contains(file.first));
      });
    };
    for (const auto& entry : layer) {
      const auto folder = parent_of(entry.path);
      const auto name = entry.path.substr(folder.empty() ? 0 : folder.size() + 1);
      if (name == ".wh..wh..opq") {
        if (folder.empty()) std::erase_if(files, [&](const auto& file) { return !own.contains(file.first); });
        if (!folder.empty()) erase(folder, false, false);
        continue;
      }
      if (name.starts_with(".wh.")) {
        erase((folder.empty() ? "" : folder + "/") + name.substr(4), true, false);
        continue;
      }
      const bool directory = entry.type == layer_entry_type::directory;
      const auto old = files.find(entry.path);
      if (old != files.end() && !(directory && std::get<0>(old->second) == 2)) erase(entry.path, true, true);
      for (auto up = folder; !up.empty(); up = parent_of(up)) {
        files.try_emplace(up, 2, 0755, "");
        own.insert(up);
      }
      files[entry.path] = {static_cast<int>(entry.type), entry.permissions, entry.link_target};
      own.insert(entry.path);
    }
  }
  return files;
}

flat flatten(const image_tree& tree) {
  flat files;
  std::map<std::uint32_t, std::string> folders{{0, ""}};
  for (const auto& directory : tree.directories) {
    for (const auto& entry : directory.entries) {
      const auto& inode = tree.inodes[entry.inode];
      const std::string path = folders.at(directory.inode) + entry.name;
      if (inode.type == file_type::directory) folders[entry.inode] = path + "/";
      files[path] = {static_cast<int>(inode.type), inode.permissions, inode.symlink_target};
    }
  }
  return files;
}

// Directories are d*, other files f*, so that no parent is a file; whiteouts hide either.
rc::Gen<layer_entry> any_entry() {
  return rc::gen::exec([] {
    std::string path;
    for (int depth = *rc::gen::inRange(0, 3); depth > 0; --depth) {
      path += "d" + std::to_string(*rc::gen::inRange(0, 3)) + "/";
    }
    const std::string number = std::to_string(*rc::gen::inRange(0, 3));
    const auto permissions = static_cast<std::uint16_t>(*rc::gen::inRange(0, 07777));
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        return make_entry(path + ".wh.d" + number, layer_entry_type::regular, 0);
      case 1:
        return make_entry(path + ".wh.f" + number, layer_entry_type::regular, 0);
      case 2:
        return make_entry(path + ".wh..wh..opq", layer_entry_type::regular, 0);
      case 3:
        return make_entry(path + "d" + number, layer_entry_type::directory, permissions);
      case 4:
        return make_entry(path + "f" + number, layer_entry_type::fifo, permissions);
      default:
        return make_entry(path + "f" + number, layer_entry_type::regular, permissions);
    }
  });
}

}  // namespace

TEST_CASE("merging layers equals applying them one after another to a map of paths") {
  CHECK(rc::check([] {
    const auto all = *rc::gen::container<layers>(rc::gen::container<std::vector<layer_entry>>(any_entry()));
    const auto tree = merge_layers(all);
    RC_ASSERT(tree.has_value());
    RC_ASSERT(flatten(*tree) == apply_to_map(all));
  }));
}

TEST_CASE("a hard link to a file of a lower layer shares its inode, and survives a new file of that name") {
  const auto tree = merge_layers({{make_entry("a", layer_entry_type::regular, 0644)},
                                  {make_entry("b", layer_entry_type::hard_link, 0, "./a"),
                                   make_entry("c", layer_entry_type::hard_link, 0, "/b"),
                                   make_entry("a", layer_entry_type::regular, 0600)}});
  REQUIRE(tree);
  const auto& entries = tree->directories[0].entries;
  REQUIRE(entries.size() == 3);
  CHECK(entries[1].inode == entries[2].inode);
  CHECK(entries[0].inode != entries[1].inode);
  CHECK(tree->inodes[entries[1].inode].links == 2);
  CHECK(tree->inodes[entries[1].inode].permissions == 0644);
}

TEST_CASE("a whiteout of the folder itself or of its parent is refused") {
  for (const std::string path : {"a/.wh.", "a/.wh..", "a/.wh..."}) {
    const auto tree = merge_layers({{make_entry("a/x", layer_entry_type::regular, 0644)},
                                    {make_entry(path, layer_entry_type::regular, 0)}});
    REQUIRE_FALSE(tree);
    CHECK(tree.error().code == errc::corrupt);
  }
}

TEST_CASE("links that go in circles end with an error") {
  const auto tree = merge_layers({{make_entry("a", layer_entry_type::symlink, 0777, "b"),
                                   make_entry("b", layer_entry_type::symlink, 0777, "a"),
                                   make_entry("a/x", layer_entry_type::regular, 0644)}});
  REQUIRE_FALSE(tree);
  CHECK(tree.error().code == errc::corrupt);
}

TEST_CASE("limits on inodes, names and depth are named in the error") {
  const auto wide = merge_layers({{make_entry("a/b/c", layer_entry_type::regular, 0644)}}, {.inodes_max = 3});
  REQUIRE_FALSE(wide);
  CHECK(wide.error().code == errc::limit_exceeded);
  const auto deep =
      merge_layers({{make_entry("a/b/c/d", layer_entry_type::regular, 0644)}}, {.depth_max = 2});
  REQUIRE_FALSE(deep);
  CHECK(deep.error().detail.find("depth_max") != std::string::npos);
  const auto named = merge_layers({{make_entry(std::string(256, 'n'), layer_entry_type::regular, 0644)}});
  REQUIRE_FALSE(named);
  CHECK(named.error().detail.find("name_bytes_max") != std::string::npos);
}

}  // namespace firstlight
