// Large folders that change while somebody lists them, in mode fuse, with what the kernel keeps of listings.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "fuse_bridge/fuse_mount_session.hpp"
#include "test/fuse_bridge/changing_mount.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/filesystem/partial_listing.hpp"

using namespace firstlight;
using fstest::partial_listing;

namespace {

constexpr std::size_t files = 3'000;
constexpr std::size_t some_names_bytes = 2'000;  // some sixty
constexpr std::size_t few_names_bytes = 500;

enum class maker_of_files : std::uint8_t { image, mount };

std::string name_of(std::size_t i) {
  return "file " + std::to_string(i);
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

bool is_there(const std::string& path) {
  struct stat st {};
  if (lstat(path.c_str(), &st) == 0) return true;
  CHECK(errno == ENOENT);
  return false;
}

/// A mount with a folder of many empty files.
class large_folder {
 public:
  explicit large_folder(maker_of_files maker) : image_(builder(maker), view::writable, {}, mount_mode::fuse) {
    if (maker == maker_of_files::image) return;
    for (std::size_t i = 0; i < files; ++i) write_file(path(name_of(i)), "");
  }
  [[nodiscard]] std::string path(const std::string& name = {}) const { return image_.path("d/" + name); }
  void remove(const std::string& name) const { REQUIRE(unlink(path(name).c_str()) == 0); }
  /// As programs do that write a file anew.
  void replace(const std::string& name) const {
    write_file(path("temporary"), "new " + name);
    REQUIRE(rename(path("temporary").c_str(), path(name).c_str()) == 0);
  }
  [[nodiscard]] bool is_replaced(const std::string& name) const {
    return read_file(path(name)) == "new " + name;
  }
  void mount_again() { image_.mount_again(mount_mode::fuse); }

 private:
  static image_builder builder(maker_of_files maker) {
    image_builder image;
    image.directory("d");
    for (std::size_t i = 0; maker == maker_of_files::image && i < files; ++i)
      image.file("d/" + name_of(i), "");
    return image;
  }
  mounted_image image_;
};

/// How often each name was met.
class met_names {
 public:
  void add(const std::vector<std::string>& names) {
    for (const auto& name : names) ++times_[name];
  }
  [[nodiscard]] std::size_t of(const std::string& name) const {
    const auto found = times_.find(name);
    return found == times_.end() ? 0 : found->second;
  }
  [[nodiscard]] std::vector<std::string> not_met() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < files; ++i)
      if (of(name_of(i)) == 0) all.push_back(name_of(i));
    return all;
  }
  [[nodiscard]] std::size_t met_once() const {
    return static_cast<std::size_t>(
        std::count_if(times_.begin(), times_.end(), [](const auto& one) { return one.second == 1; }));
  }
  [[nodiscard]] std::size_t count() const { return times_.size(); }

 private:
  std::map<std::string, std::size_t> times_;
};

}  // namespace

TEST_CASE("a listing that goes on brings no removed or replaced file back") {
  if (!mounting_is_possible()) return;
  const auto maker = GENERATE(maker_of_files::image, maker_of_files::mount);
  CAPTURE(maker == maker_of_files::image);
  large_folder folder(maker);
  partial_listing reader(folder.path());
  REQUIRE(reader);
  met_names met;
  // Looking at what was listed makes the kernel ask for attributes with the next names, which it then
  // believes.
  const auto look = [&](const std::vector<std::string>& names) {
    for (const auto& name : names) CHECK(is_there(folder.path(name)));
    met.add(names);
  };
  look(reader.more(some_names_bytes).names);
  const auto others = met.not_met();
  REQUIRE(others.size() > files / 2);
  std::set<std::string> removed;
  std::set<std::string> replaced;
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (i % 10 == 3) removed.insert(others[i]);
    if (i % 10 == 7) replaced.insert(others[i]);
  }
  for (const auto& name : removed) folder.remove(name);
  for (const auto& name : replaced) folder.replace(name);
  for (auto part = reader.more(few_names_bytes); !part.end; part = reader.more(few_names_bytes))
    look(part.names);
  CHECK(met.count() == files - removed.size());
  CHECK(met.met_once() == met.count());
  for (const auto& name : removed) {
    CHECK(met.of(name) == 0);
    CHECK_FALSE(is_there(folder.path(name)));
  }
  for (const auto& name : replaced) CHECK(folder.is_replaced(name));
  const auto& written = *replaced.begin();
  write_file(folder.path(written), "written");
  reader = {};
  folder.mount_again();
  CHECK(read_file(folder.path(written)) == "written");
  CHECK_FALSE(is_there(folder.path(*removed.begin())));
}

TEST_CASE("readers of a folder that one of them empties meet all that stays, each name once") {
  if (!mounting_is_possible()) return;
  const auto maker = GENERATE(maker_of_files::image, maker_of_files::mount);
  const bool kernel_knows = GENERATE(true, false);
  CAPTURE(maker == maker_of_files::image, kernel_knows);
  const large_folder folder(maker);
  if (kernel_knows) CHECK(partial_listing(folder.path()).rest().names.size() == files);
  partial_listing one(folder.path());
  partial_listing between(folder.path());
  const auto first = one.more(some_names_bytes).names;
  REQUIRE(first.size() > 10);
  met_names met_between;
  met_between.add(between.more(few_names_bytes).names);
  for (const auto& name : first) folder.remove(name);
  const auto others = partial_listing(folder.path()).rest().names;
  CHECK(others.size() == files - first.size());
  met_names met;
  met.add(first);
  met.add(one.rest().names);
  CHECK(met.count() == files);
  CHECK(met.met_once() == files);
  met_between.add(between.rest().names);
  for (const auto& name : others) CHECK(met_between.of(name) == 1);
  one.seek(0);
  auto again = one.rest().names;
  std::sort(again.begin(), again.end());
  auto expected = others;
  std::sort(expected.begin(), expected.end());
  CHECK(again == expected);
}

TEST_CASE("a place in a folder is where it was, whatever has come and gone before it") {
  if (!mounting_is_possible()) return;
  const auto maker = GENERATE(maker_of_files::image, maker_of_files::mount);
  CAPTURE(maker == maker_of_files::image);
  const large_folder folder(maker);
  partial_listing reader(folder.path());
  const auto before = reader.more(some_names_bytes).names;
  const auto place = reader.place();
  const auto behind = reader.rest().names;
  REQUIRE(before.size() + behind.size() == files);
  for (const auto& name : before) folder.remove(name);
  partial_listing other(folder.path());
  other.seek(place);
  CHECK(other.rest().names == behind);
  reader.seek(place);
  CHECK(reader.rest().names == behind);
  for (const auto& name : before) write_file(folder.path(name), "");
  other.seek(0);
  CHECK(other.more(some_names_bytes).names == before);
}

TEST_CASE("who writes all files of a folder anew while listing it comes to an end") {
  if (!mounting_is_possible()) return;
  const auto maker = GENERATE(maker_of_files::image, maker_of_files::mount);
  CAPTURE(maker == maker_of_files::image);
  const large_folder folder(maker);
  partial_listing reader(folder.path());
  met_names met;
  std::size_t parts = 0;
  for (auto part = reader.more(few_names_bytes); !part.end && ++parts < files;
       part = reader.more(few_names_bytes)) {
    std::erase(part.names, "temporary");
    for (const auto& name : part.names) folder.replace(name);
    met.add(part.names);
  }
  CHECK(parts < files);
  CHECK(met.count() == files);
  CHECK(met.met_once() == files);
}

TEST_CASE("who lists a folder goes on where it was when another process answers") {
  if (!mounting_is_possible()) return;
  const changing_mount mount;
  const auto point = mount.folder.path() / "root";
  std::filesystem::create_directory(point);
  auto session = *fuse_mount_session::start(mount.core(session_life::fresh), point);
  const watchdog guard(point);
  const auto path = [&](const std::string& name) { return (point / "folder" / name).string(); };
  REQUIRE(unlink(path("other").c_str()) == 0);
  for (std::size_t i = 0; i < files; ++i) write_file(path(name_of(i)), "");
  {
    partial_listing reader(path(""));
    met_names met;
    met.add(reader.more(some_names_bytes).names);
    const auto others = met.not_met();
    for (std::size_t i = 0; i < others.size(); i += 3) REQUIRE(unlink(path(others[i]).c_str()) == 0);
    const auto left = session->what_to_keep();
    if (!left.after_crash) {
      test::note_skipped("this kernel repeats no requests (Linux 6.9)");
      umount2(point.c_str(), MNT_DETACH);
      return;
    }
    const kept_session kept{std::make_shared<const file_descriptor>(fcntl(left.device, F_DUPFD_CLOEXEC, 0)),
                            left.init};
    session->leave_behind();
    session.reset();
    session = *fuse_mount_session::take_over(mount.core(session_life::taken_over), kept);
    for (std::size_t i = 1; i < others.size(); i += 3) REQUIRE(unlink(path(others[i]).c_str()) == 0);
    met.add(reader.rest().names);
    for (std::size_t i = 0; i < others.size(); ++i) CHECK(met.of(others[i]) == (i % 3 == 2 ? 1 : 0));
    CHECK(met.met_once() == met.count());
  }
  REQUIRE(umount2(point.c_str(), MNT_DETACH) == 0);
}
