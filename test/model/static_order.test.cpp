#include "model/static_order.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

#include "model/tree_glob.hpp"
#include "test/harness/tiny_elf.hpp"
#include "test/harness/tiny_image.hpp"

using namespace firstlight;

namespace {

constexpr block_geometry geometry{4096};

content_order order_of(const tiny_image& image, const image_config& config,
                       const static_order_limits& limits = {}) {
  return guess_order(
      image.tree(), geometry, config,
      [&](const content_info& content, std::uint64_t offset, std::uint32_t length) {
        return image.read(content, offset, length);
      },
      limits);
}

/// The contents that an order guesses, each at its first mention.
std::vector<std::uint32_t> contents_of(const content_order& order) {
  std::vector<std::uint32_t> contents;
  for (std::size_t i = 0; i < order.guessed_runs; ++i)
    if (std::find(contents.begin(), contents.end(), order.runs[i].content) == contents.end())
      contents.push_back(order.runs[i].content);
  return contents;
}

/// A little of Debian: a loader, a C library, a shell.
tiny_image debian() {
  tiny_image image;
  image.symlink("lib", "usr/lib");
  image.symlink("lib64", "usr/lib64");
  image.symlink("bin", "usr/bin");
  image.file("usr/lib/x86_64-linux-gnu/ld-linux.so.2", make_elf({}));
  image.symlink("usr/lib64/ld-linux.so.2", "/lib/x86_64-linux-gnu/ld-linux.so.2");
  image.file("usr/lib/x86_64-linux-gnu/libc.so.6", make_elf({.needed = {"ld-linux.so.2"}}));
  image.file("usr/bin/dash", make_elf({.interpreter = "/lib64/ld-linux.so.2", .needed = {"libc.so.6"}}));
  image.symlink("usr/bin/sh", "dash");
  image.file("etc/passwd", "root");
  image.file("var/data", "never read");
  return image;
}

std::vector<std::uint32_t> contents_of(const tiny_image& image, const std::vector<std::string>& paths) {
  std::vector<std::uint32_t> contents;
  for (const auto& path : paths) contents.push_back(image.content(path));
  return contents;
}

}  // namespace

TEST_CASE("paths are resolved as inside the container") {
  tiny_image image;
  const auto file = image.file("a/b/file", "x");
  image.symlink("a/up", "../a/b");
  image.symlink("a/absolute", "/a/up/file");
  image.symlink("loop", "loop");
  image.symlink("out", "../../../a/b/file");
  const tree_paths paths(image.tree());
  for (const auto* path :
       {"/a/b/file", "a/b/file", "//a/./b//file", "/../a/b/../b/file", "/a/up/file", "/a/absolute", "/out"}) {
    INFO(path);
    REQUIRE(paths.locate(path));
    CHECK(paths.locate(path)->inode == file);
  }
  CHECK(paths.locate("../b/file", paths.locate("/a/b")->inode)->inode == file);
  CHECK(paths.locate("/a/absolute")->directory == paths.locate("/a/b")->inode);
  CHECK(paths.locate("/loop").error().code == errc::limit_exceeded);
  CHECK(paths.locate("/a/b/file/x").error().code == errc::not_found);
  CHECK(paths.locate("/no").error().code == errc::not_found);
  CHECK(paths.locate(std::string(5000, 'x')).error().code == errc::invalid_argument);
  CHECK(paths.locate_file("/a/b").error().code == errc::not_found);
}

TEST_CASE("patterns find files in the order of names") {
  tiny_image image;
  const auto one = image.file("etc/x.d/1.conf", "x");
  const auto two = image.file("etc/x.d/2.conf", "x");
  image.file("etc/x.d/.3.conf", "x");
  image.file("etc/x.d/readme", "x");
  const tree_paths paths(image.tree());
  const auto found = find_files(paths, "/e*/x.?/*.conf", 0, 10);
  REQUIRE(found.size() == 2);
  CHECK(found[0].inode == one);
  CHECK(found[1].inode == two);
  CHECK(find_files(paths, "/etc/x.d/*", 0, 2).size() == 2);
  CHECK(matches_pattern("abcabc", "a*bc"));
  CHECK_FALSE(matches_pattern("abcab", "a*bc"));
}

TEST_CASE("a start reads users and groups, its program, the loader, the libraries, then its configuration") {
  auto image = debian();
  image.file("usr/lib/x86_64-linux-gnu/libm.so.6", make_elf({.needed = {"libc.so.6"}}));
  image.file("usr/lib/libm.so.6", make_elf({.word_bits = 32, .machine = 3}));
  image.file("usr/bin/redis-server",
             make_elf({.interpreter = "/lib64/ld-linux.so.2", .needed = {"libm.so.6", "libc.so.6"}}));
  image.file("etc/redis/redis.conf", "port 1");
  const auto order = order_of(image, {.entrypoint = {"redis-server"}});
  CHECK(contents_of(order) ==
        contents_of(image, {"etc/passwd", "usr/bin/redis-server", "usr/lib/x86_64-linux-gnu/ld-linux.so.2",
                            "usr/lib/x86_64-linux-gnu/libm.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6",
                            "etc/redis/redis.conf"}));
}

TEST_CASE("a script brings its interpreter and the commands in it") {
  auto image = debian();
  image.file("usr/bin/id", make_elf({.needed = {"libc.so.6"}}));
  image.file("entry.sh", "#!/bin/sh\nu=$(id -u)\nexec \"$@\"\n", 0755);
  image.file("app/data.json", "{}");
  const auto order =
      order_of(image, {.entrypoint = {"/entry.sh"}, .command = {"data.json"}, .working_directory = "/app"});
  CHECK(
      contents_of(order) ==
      contents_of(image, {"etc/passwd", "entry.sh", "usr/bin/dash", "usr/lib/x86_64-linux-gnu/ld-linux.so.2",
                          "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/bin/id", "app/data.json"}));
}

TEST_CASE("PATH of the image decides which program is meant") {
  auto image = debian();
  image.file("opt/tool", make_elf({}));
  image.file("usr/bin/tool", make_elf({}));
  image.file("plain/tool", "not executable");
  const auto order =
      order_of(image, {.command = {"tool"}, .environment = {"HOME=/", "PATH=/plain:/opt:/usr/bin"}});
  CHECK(contents_of(order).at(1) == image.content("opt/tool"));  // behind etc/passwd
}

TEST_CASE("libraries are searched by origin and by the loader's configuration") {
  auto image = debian();
  image.file("opt/app/bin/app", make_elf({.needed = {"liba.so", "libb.so"}, .run_path = "$ORIGIN/../lib"}));
  image.file("opt/app/lib/liba.so", make_elf({}));
  image.file("etc/ld.so.conf", "# all\ninclude /etc/ld.so.conf.d/*.conf\n");
  image.file("etc/ld.so.conf.d/x.conf", "/srv/lib\n");
  image.file("srv/lib/libb.so", make_elf({}));
  const auto order = order_of(image, {.command = {"/opt/app/bin/app"}});
  const auto expected =
      contents_of(image, {"etc/passwd", "opt/app/bin/app", "opt/app/lib/liba.so", "srv/lib/libb.so"});
  const auto guessed = contents_of(order);
  CHECK(std::vector<std::uint32_t>(guessed.begin(), guessed.begin() + 4) == expected);
}

TEST_CASE("files and folders that a program is given are read, also behind an equals sign") {
  auto image = debian();
  image.file("usr/bin/db", make_elf({}));
  image.file("var/db/main/a", "a");
  image.file("var/db/main/base/1", "1");
  image.file("etc/db.conf", "conf");
  image.file("var/other", "other");
  const auto guessed = contents_of(order_of(
      image, {.entrypoint = {"/usr/bin/db"}, .command = {"-D", "/var/db/main", "config=/etc/db.conf"}}));
  for (const auto* path : {"var/db/main/a", "var/db/main/base/1", "etc/db.conf"})
    CHECK(std::count(guessed.begin(), guessed.end(), image.content(path)) == 1);
  CHECK(std::count(guessed.begin(), guessed.end(), image.content("var/other")) == 0);
}

TEST_CASE("an interpreter brings the modules that it loads at each start") {
  auto image = debian();
  image.file("usr/bin/python3.11", make_elf({.needed = {"libc.so.6"}}));
  image.symlink("usr/bin/python3", "python3.11");
  image.file("usr/lib/python3.11/os.py", "os");
  image.file("usr/lib/python3.11/encodings/__init__.py", "enc");
  image.file("usr/lib/python3.11/encodings/__pycache__/__init__.cpython-311.pyc", "encc");
  image.file("usr/lib/python3.11/turtle.py", "never");
  image.file("app.py", "#!/usr/bin/env python3\n", 0755);
  const auto guessed = contents_of(order_of(image, {.command = {"/app.py"}}));
  for (const auto* path : {"usr/bin/python3.11", "usr/lib/python3.11/os.py",
                           "usr/lib/python3.11/encodings/__pycache__/__init__.cpython-311.pyc"})
    CHECK(std::count(guessed.begin(), guessed.end(), image.content(path)) == 1);
  CHECK(std::count(guessed.begin(), guessed.end(), image.content("usr/lib/python3.11/turtle.py")) == 0);
}

TEST_CASE("of a program only what the loader maps is guessed") {
  tiny_image image;
  image.file("app", make_elf({.tail_bytes = 100'000}));
  const auto order = order_of(image, {.command = {"/app"}});
  CHECK(order.runs == std::vector<block_run>{{0, 0, 1}});
  CHECK(order.guessed_runs == 1);
}

TEST_CASE("an image that starts itself for ever, or nothing at all, is guessed in bounds") {
  tiny_image image;
  image.file("a", "#!/b\n", 0755);
  image.file("b", "#!/a\n", 0755);
  image.file("lib/x.so", make_elf({.needed = {"y.so"}}));
  image.file("lib/y.so", make_elf({.needed = {"x.so"}}));
  image.file("c", make_elf({.interpreter = "/a", .needed = {"x.so", "../../etc", ""}}));
  CHECK(contents_of(order_of(image, {.command = {"/a", "/c"}})).size() == 5);
  CHECK(contents_of(order_of(image, {.command = {"/a", "/c"}}, {.guessed_files_max = 2})).size() == 2);
  CHECK(order_of(image, {.command = {"/missing"}}).runs.empty());
  CHECK(order_of(tiny_image(), {}).runs.empty());
  CHECK(guess_order({}, geometry, {}, {}).runs.empty());
}
