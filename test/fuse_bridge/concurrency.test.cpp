// Several processes at the same files of one mount: what must hold whatever the order.
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "test/fuse_bridge/arriving_image.hpp"
#include "test/harness/worker_processes.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

/// Mode fuse promotes, and in both of its ways: by the copier, and at once.
mounted_way any_way_to_promote() {
  return GENERATE(values<mounted_way>({{mount_mode::hybrid, 1},
                                       {mount_mode::overlay, 4},
                                       {mount_mode::fuse, 1, 0},
                                       {mount_mode::fuse, 1, 1U << 20U},
                                       {mount_mode::fuse, 4, 0},
                                       {mount_mode::fuse, 4, 1U << 20U}}));
}

// Each worker writes its letter to a place of its own.
constexpr std::size_t first_letter = 100;
constexpr char letter_of(int worker) {
  return static_cast<char>('a' + worker);
}

/// Whether these are the bytes of a file of the image, but for letters.
bool is_of_image(const char* bytes, std::size_t size, const std::vector<std::string>& all) {
  return size == file_bytes && std::any_of(all.begin(), all.end(), [&](const std::string& one) {
           for (std::size_t at = 0; at < size; ++at) {
             const bool letter = at >= first_letter && at < first_letter + workers &&
                                 bytes[at] == letter_of(static_cast<int>(at - first_letter));
             if (bytes[at] != one[at] && !letter) return false;
           }
           return true;
         });
}

/// All names below the two folders and the root, with what is behind them; links as counted and as found.
struct seen_file {
  std::string bytes;
  nlink_t links = 0;
  ino_t inode = 0;
  friend bool operator==(const seen_file&, const seen_file&) = default;
};
std::map<std::string, seen_file> all_files(const fs::path& root) {
  std::map<std::string, seen_file> all;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    struct stat st {};
    REQUIRE(lstat(entry.path().c_str(), &st) == 0);
    const auto bytes = read_file(entry.path());
    REQUIRE(bytes);
    all[entry.path().lexically_relative(root).string()] = {*bytes, st.st_nlink, st.st_ino};
  }
  return all;
}

}  // namespace

TEST_CASE("parallel renames lose and double no file") {
  if (!mounting_is_possible()) return;
  const auto way = any_way();
  CAPTURE(way);
  arriving_image image(way);
  const auto root = image.root().string();
  in_processes([&root](int worker) {
    auto seed = static_cast<std::uint32_t>(worker + 1);
    int renamed = 0;
    for (int round = 0; round < rounds; ++round) {
      const auto from = in(root.c_str(), "d%d/f%d", below(seed, 2), below(seed, files));
      const auto to = in(root.c_str(), "d%d/f%d", below(seed, 2), below(seed, files));
      const unsigned flags = below(seed, 2) == 0 ? RENAME_NOREPLACE : RENAME_EXCHANGE;
      if (renameat2(AT_FDCWD, from.data(), AT_FDCWD, to.data(), flags) == 0)
        ++renamed;
      else if (errno != ENOENT && errno != EEXIST && errno != EINVAL)
        return errno;
    }
    return renamed > 0 ? 0 : 101;
  });
  std::multiset<std::string> found;
  std::multiset<std::string> expected;
  for (const auto* folder : {"d0", "d1"})
    for (const auto& entry : fs::directory_iterator(image.path(folder))) {
      const auto bytes = read_file(entry.path());
      REQUIRE(bytes);
      found.insert(*bytes);
    }
  for (std::uint32_t i = 0; i < files; ++i) expected.insert(patterned_bytes(file_bytes, i));
  CHECK(found == expected);
}

TEST_CASE("a file that several processes promote at once gets all that each has written") {
  if (!mounting_is_possible()) return;
  const auto way = any_way();
  CAPTURE(way);
  arriving_image image(way);
  const auto root = image.root().string();
  in_processes([&root](int worker) {
    for (int i = 0; i < files; ++i) {
      const auto path = in(root.c_str(), "d%d/f%d", i % 2, i);
      const int file = open(path.data(), O_RDWR);
      if (file < 0) return errno;
      const auto letter = static_cast<char>('a' + worker);
      if (pwrite(file, &letter, 1, 100 + worker) != 1) return 101;
      if (fsetxattr(file, "user.by", &letter, 1, 0) != 0) return 102;
      if (fchmod(file, 0600U + static_cast<unsigned>(worker)) != 0) return 103;
      if (close(file) != 0) return 104;
    }
    return 0;
  });
  for (int i = 0; i < files; ++i) {
    auto expected = patterned_bytes(file_bytes, static_cast<std::uint32_t>(i));
    for (int worker = 0; worker < workers; ++worker)
      expected[static_cast<std::size_t>(100 + worker)] = static_cast<char>('a' + worker);
    CHECK(read_file(image.path("d" + std::to_string(i % 2) + "/f" + std::to_string(i))) == expected);
    if (way.mode == mount_mode::fuse)  // overlayfs parts the names of an image's file
      CHECK(read_file(image.path("link" + std::to_string(i))) == expected);
  }
}

TEST_CASE(
    "files that are promoted, read, moved, linked and removed at once are whole, also after a remount") {
  if (!mounting_is_possible()) return;
  const auto way = any_way_to_promote();
  CAPTURE(way);
  arriving_image image(way);
  const auto root = image.root().string();
  std::vector<std::string> contents;
  for (std::uint32_t i = 0; i < files; ++i) contents.push_back(patterned_bytes(file_bytes, i));
  const auto log = (image.fixture.folder() / "log").string();
  const file_descriptor names(open(log.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600));
  REQUIRE(names);
  in_processes([&](int worker) {
    auto seed = static_cast<std::uint32_t>(worker + 31);
    static std::array<char, file_bytes + 1> buffer;
    for (int round = 0; round < rounds; ++round) {
      const auto one = in(root.c_str(), "d%d/f%d", below(seed, 2), below(seed, files));
      const auto other = in(root.c_str(), "d%d/f%d", below(seed, 2), below(seed, files));
      const auto kept = in(root.c_str(), "link%d", below(seed, files));
      bool done = true;
      switch (below(seed, 5)) {
        case 0:
          done = renameat2(AT_FDCWD, one.data(), AT_FDCWD, other.data(), RENAME_NOREPLACE) == 0;
          break;
        case 1:
          done = unlink(one.data()) == 0;
          if (done && write(names.get(), "-", 1) != 1) return 101;
          break;
        case 2:
          done = link(kept.data(), one.data()) == 0;
          if (done && write(names.get(), "+", 1) != 1) return 102;
          break;
        case 3: {
          const file_descriptor file(open(one.data(), O_RDONLY));
          done = static_cast<bool>(file);
          if (!done) break;
          const auto got = pread(file.get(), buffer.data(), buffer.size(), 0);
          if (got < 0 || !is_of_image(buffer.data(), static_cast<std::size_t>(got), contents)) return 103;
          break;
        }
        default: {
          const file_descriptor file(open(one.data(), O_RDWR));
          done = static_cast<bool>(file);
          if (!done) break;
          const auto letter = letter_of(worker);
          const auto place = static_cast<off_t>(first_letter) + worker;
          if (pwrite(file.get(), &letter, 1, place) != 1) return 104;
          if (fchmod(file.get(), 0600U + static_cast<unsigned>(worker)) != 0) return 105;
          break;
        }
      }
      if (!done && errno != ENOENT && errno != EEXIST) return errno;
    }
    return 0;
  });
  const auto signs = read_file(log);
  REQUIRE(signs);
  CHECK(std::set<char>(signs->begin(), signs->end()) == std::set<char>{'+', '-'});
  const auto expected = 2 * files + std::count(signs->begin(), signs->end(), '+') -
                        std::count(signs->begin(), signs->end(), '-');
  const auto before = all_files(image.root());
  CHECK(before.size() == static_cast<std::size_t>(expected));
  for (const auto& [name, file] : before) {
    CAPTURE(name);
    CHECK(is_of_image(file.bytes.data(), file.bytes.size(), contents));
    if (way.mode != mount_mode::fuse) continue;  // overlayfs counts links of the image's files its own way
    const auto links = std::count_if(before.begin(), before.end(),
                                     [&](const auto& each) { return each.second.inode == file.inode; });
    CHECK(file.links == static_cast<nlink_t>(links));
  }
  REQUIRE(image.fixture.unmount(image.mount, busy_mount::refuse));
  image.fixture.wait_for_end(image.mount);
  const auto again = image.fixture.mount(image.request(view::writable));
  REQUIRE(again);
  image.mount = again->handle;
  auto after = all_files(image.root());
  REQUIRE(after.size() == before.size());
  for (auto& [name, file] : after) {
    if (way.mode != mount_mode::fuse) file.inode = before.at(name).inode;
    CHECK(file == before.at(name));
  }
}

TEST_CASE("of several processes that make or remove the same name, one does") {
  if (!mounting_is_possible()) return;
  const auto way = any_way();
  CAPTURE(way);
  arriving_image image(way);
  const auto root = image.root().string();
  const auto log = (image.fixture.folder() / "log").string();
  const file_descriptor made(open(log.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600));
  REQUIRE(made);
  in_processes([&root, &made](int) {
    for (int round = 0; round < rounds; ++round) {
      const auto path = in(root.c_str(), "d%d/new%d", round % 2, round % 5);
      const int file = open(path.data(), O_CREAT | O_EXCL | O_WRONLY, 0600);
      if (file < 0 && errno != EEXIST) return errno;
      if (file >= 0 && (close(file) != 0 || write(made.get(), "+", 1) != 1)) return 101;
      const bool removed = unlink(path.data()) == 0;
      if (!removed && errno != ENOENT) return errno;
      if (removed && write(made.get(), "-", 1) != 1) return 102;
    }
    return 0;
  });
  // Each that was made was removed once, or is left.
  std::int64_t left = 0;
  const auto signs = read_file(log);
  REQUIRE(signs);
  CHECK(signs->find('+') != std::string::npos);
  for (const char sign : *signs) left += sign == '+' ? 1 : -1;
  std::int64_t found = 0;
  for (const auto* folder : {"d0", "d1"})
    for (const auto& entry : fs::directory_iterator(image.path(folder)))
      found += entry.path().filename().string().starts_with("new") ? 1 : 0;
  CHECK(left == found);
}

TEST_CASE("a file that is opened while its last name goes is whole, or is not opened") {
  if (!mounting_is_possible()) return;
  const auto way = any_way();
  CAPTURE(way);
  const arriving_image image(way);
  const auto root = image.root().string();
  in_processes([&root](int worker) {
    static std::array<char, 5'000> text;
    static std::array<char, text.size() + 1> seen;
    text.fill('x');
    const auto passing = in(root.c_str(), "d0/passing%d", 0);
    if (worker % 2 == 0) {
      const auto made = in(root.c_str(), "d1/made%d", worker);
      for (int round = 0; round < rounds; ++round) {
        const file_descriptor file(open(made.data(), O_WRONLY | O_CREAT | O_EXCL, 0600));
        if (!file) return errno;
        if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return 101;
        if (rename(made.data(), passing.data()) != 0) return errno;
        if (unlink(passing.data()) != 0 && errno != ENOENT) return errno;
      }
      const file_descriptor over(
          open(in(root.c_str(), "d0/over%d", worker).data(), O_WRONLY | O_CREAT, 0600));
      return over ? 0 : errno;
    }
    int opened = 0;
    const auto all_made = [&root] {
      return access(in(root.c_str(), "d0/over%d", 0).data(), F_OK) == 0 &&
             access(in(root.c_str(), "d0/over%d", 2).data(), F_OK) == 0;
    };
    while (!all_made()) {
      const file_descriptor file(open(passing.data(), O_RDONLY));
      // The kernel looks a stale name up once more, and then gives in.
      if (!file && errno != ENOENT && errno != ESTALE) return errno;
      if (!file) {
        sched_yield();
        continue;
      }
      if (pread(file.get(), seen.data(), seen.size(), 0) != static_cast<ssize_t>(text.size())) return 102;
      if (!std::equal(text.begin(), text.end(), seen.begin())) return 103;
      ++opened;
    }
    return opened > 0 ? 0 : 104;
  });
  CHECK(read_file(image.path("d1/f1")) == patterned_bytes(file_bytes, 1));
  CHECK(std::distance(fs::directory_iterator(image.path("d1")), fs::directory_iterator()) == files / 2);
}

TEST_CASE("folders that are made, filled, moved and removed at once stay a tree") {
  if (!mounting_is_possible()) return;
  const auto way = any_way();
  CAPTURE(way);
  arriving_image image(way);
  const auto root = image.root().string();
  in_processes([&root](int worker) {
    auto seed = static_cast<std::uint32_t>(worker + 7);
    for (int round = 0; round < rounds; ++round) {
      const auto one = in(root.c_str(), "t%d", below(seed, 3));
      const auto inner = in(root.c_str(), "t%d/u%d", below(seed, 3), below(seed, 2));
      int status = 0;
      switch (below(seed, 6)) {
        case 0:
          status = mkdir(one.data(), 0700);
          break;
        case 1:
          status = mkdir(inner.data(), 0700);
          break;
        case 2:
          status = rename(one.data(), inner.data());
          break;
        case 3:
          status = rename(inner.data(), one.data());
          break;
        case 4:
          status = rmdir(inner.data());
          break;
        default:
          status = rmdir(one.data());
          break;
      }
      if (status != 0 && errno != EEXIST && errno != ENOENT && errno != ENOTEMPTY && errno != EINVAL)
        return errno;
    }
    return 0;
  });
  for (const auto& entry : fs::recursive_directory_iterator(image.root())) CHECK(fs::exists(entry.path()));
  for (int i = 0; i < 3; ++i) fs::remove_all(image.path("t" + std::to_string(i)));
  CHECK(std::distance(fs::directory_iterator(image.root()), fs::directory_iterator()) == 2 + files);
}
