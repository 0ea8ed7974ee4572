#include "storage/commit_layer.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "storage/held_folder.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// An image without files, and plain folders in the places of a mount and its read-write layer.
struct commit_bench {
  temporary_folder folder;
  fs::path shown = folder.path() / "shown";
  fs::path upper = folder.path() / "upper";
  fs::path tar = folder.path() / "layer.tar";
  std::shared_ptr<const toc_view> toc;

  commit_bench() {
    for (const auto& each : {shown, upper}) fs::create_directory(each);
    image_tree tree;
    tree.inodes.push_back({.type = file_type::directory, .permissions = 0755, .links = 2});
    tree.directories.push_back({});
    toc = toc_view::open(share(encode_toc({}, tree).value())).value();
  }
  result<committed_layer> commit() { return commit_layer(*toc, {shown, upper, tar}); }
};

}  // namespace

TEST_CASE("what is in the read-write layer goes into the tar as the mount shows it") {
  commit_bench bench;
  write_text(bench.upper / "a/b/file", "");
  write_text(bench.shown / "a/b/file", "shown text");
  write_text(bench.shown / "a/other", "of the image");
  fs::create_symlink("a/b", bench.upper / "link");
  fs::create_symlink("a/b", bench.shown / "link");
  const auto made = bench.commit();
  REQUIRE(made);
  CHECK(made->entries == 5);  // with the root
  CHECK(made->bytes == fs::file_size(bench.tar));
  const auto tar = text_of(bench.tar);
  CHECK(tar.find("shown text") != std::string::npos);
  CHECK(tar.find("of the image") == std::string::npos);
}

TEST_CASE("a folder that has become a link meanwhile leads nowhere, and no file is left") {
  commit_bench bench;
  write_text(bench.folder.path() / "outside/secret", "secret");
  write_text(bench.shown / "a/secret", "of the mount");
  fs::create_directory_symlink(bench.folder.path() / "outside", bench.upper / "a");
  CHECK(bench.commit().error().code == errc::busy);
  CHECK_FALSE(fs::exists(bench.tar));
  CHECK_FALSE(fs::exists(bench.tar.string() + ".new"));
}

TEST_CASE("a held folder is reached without links, and stays the same when another takes its name") {
  const temporary_folder folder;
  write_text(folder.path() / "a/b/file", "inside");
  write_text(folder.path() / "elsewhere/file", "elsewhere");
  fs::create_directory_symlink("a", folder.path() / "link");
  const auto root = open_at(AT_FDCWD, folder.path().string(), O_PATH | O_DIRECTORY).value();
  const auto held = held_folder::open(root.get(), "a/b").value();
  fs::rename(folder.path() / "a/b", folder.path() / "a/moved");
  fs::create_directory_symlink(folder.path() / "elsewhere", folder.path() / "a/b");
  CHECK(text_of(held.path_of("file")) == "inside");
  struct stat found {};
  CHECK(held.look_at("file", found) == 0);
  CHECK(held.look_at("none", found) == ENOENT);
  CHECK(fs::is_directory(fs::symlink_status(held.path_of(""))));
  for (const auto* led_away : {"a/b", "link", "link/moved", "a/moved/file", ".."})
    CHECK(held_folder::open(root.get(), led_away).error().code == errc::busy);
  CHECK(held_folder::open(root.get(), "none").error().code == errc::not_found);
}

}  // namespace firstlight
