#include "model/delta.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <cstring>
#include <set>

using namespace firstlight;

namespace {

content_info content(std::uint32_t number, std::uint64_t size = 100'000) {
  content_info info{{}, size};
  std::memcpy(info.id.root.bytes.data(), &number, sizeof number);
  return info;
}

/// Wants files whose contents are 0, 1, 2, ... in the order given.
content_delta delta_of(const std::vector<std::string>& paths, const std::vector<file_content>& had,
                       std::uint64_t size = 100'000) {
  std::vector<content_info> contents;
  std::vector<file_content> wanted;
  for (const auto& path : paths) {
    contents.push_back(content(static_cast<std::uint32_t>(contents.size()), size));
    wanted.push_back({path, contents.back()});
  }
  return find_delta(contents, wanted, had, {});
}

}  // namespace

TEST_CASE("a missing content is patched against the file at the same path") {
  const auto delta =
      delta_of({"usr/bin/redis"}, {{"usr/bin/redis", content(7)}, {"usr/bin/redis2", content(8)}});
  CHECK(delta.missing == std::vector<std::uint32_t>{0});
  CHECK(delta.patches == std::vector<patch_base>{{0, content(7)}});
}

TEST_CASE("a library of another version is a base for the new one") {
  const auto delta = delta_of({"lib/libfoo.so.1.2.4"}, {{"lib/libfoo.so.1.2.3", content(7)},
                                                        {"lib/libbar.so.1.2.3", content(8)},
                                                        {"opt/libfoo.so.1.2.3", content(9)}});
  CHECK(delta.patches == std::vector<patch_base>{{0, content(7)}});
}

TEST_CASE("a file below a versioned folder is a base for the one below the next version") {
  const auto delta = delta_of({"usr/lib/python3.12/os.py"}, {{"usr/lib/python3.11/os.py", content(7)}});
  CHECK(delta.patches == std::vector<patch_base>{{0, content(7)}});
}

TEST_CASE("of several versions the nearest in size is the base") {
  const auto delta =
      delta_of({"lib/a.so.3"}, {{"lib/a.so.1", content(7, 300'000)}, {"lib/a.so.2", content(8, 120'000)}});
  CHECK(delta.patches == std::vector<patch_base>{{0, content(8, 120'000)}});
}

TEST_CASE("no patch is made for small contents or against very different sizes") {
  CHECK(delta_of({"a"}, {{"a", content(7)}}, 1000).patches.empty());
  CHECK(delta_of({"a"}, {{"a", content(7, 400'001)}}).patches.empty());
  CHECK(delta_of({"a"}, {{"a", content(7, 400'000)}}).patches.size() == 1);
}

TEST_CASE("a base is always held by the node, and nothing equal is patched or missing") {
  CHECK(rc::check([] {
    const auto name = rc::gen::element<std::string>("a", "b.so.1", "b.so.2", "c1/x", "c2/x", "d");
    const auto numbers = rc::gen::inRange<std::uint32_t>(0, 12);
    const auto pairs =
        rc::gen::container<std::vector<std::pair<std::string, std::uint32_t>>>(rc::gen::pair(name, numbers));
    std::vector<content_info> contents;
    std::vector<file_content> wanted;
    std::vector<file_content> had;
    for (const auto& [path, number] : *pairs) {
      const auto info = content(number, 20'000 + number * 10'000);
      if (std::find(contents.begin(), contents.end(), info) == contents.end()) contents.push_back(info);
      wanted.push_back({path, info});
    }
    std::set<content_id> held;
    for (const auto& [path, number] : *pairs) {
      had.push_back({path, content(number, 20'000 + number * 10'000)});
      held.insert(had.back().content.id);
    }
    const auto delta = find_delta(contents, wanted, had, {});
    for (std::uint32_t i = 0; i < contents.size(); ++i) {
      const bool missing = std::count(delta.missing.begin(), delta.missing.end(), i) == 1;
      RC_ASSERT(missing != held.contains(contents[i].id));
    }
    for (const auto& patch : delta.patches) {
      RC_ASSERT(held.contains(patch.base.id));
      RC_ASSERT(!held.contains(contents[patch.content].id));
    }
  }));
}

TEST_CASE("files_of lists every name of every file with bytes") {
  image_tree tree;
  tree.contents = {content(0), content(1)};
  tree.inodes.resize(4);
  tree.inodes[0].type = tree.inodes[1].type = file_type::directory;
  tree.inodes[2].content = 0;
  tree.inodes[3].content = 1;
  tree.directories = {{0, 0, {{"a", 1}, {"b", 3}, {"link", 2}}}, {1, 0, {{"x", 2}}}};
  CHECK(files_of(tree) ==
        std::vector<file_content>{{"a/x", content(0)}, {"b", content(1)}, {"link", content(0)}});
}
