// Requests that the kernel repeats because the process that they were put to has died.
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <future>

#include "fuse_bridge/kernel_resend.hpp"
#include "fuse_bridge/libfuse.hpp"
#include "fuse_bridge/writable/repeated_requests.hpp"
#include "test/fuse_bridge/changing_mount.hpp"
#include "test/fuse_bridge/handed_over_session.hpp"
#include "test/fuse_bridge/taken_requests.hpp"

using namespace firstlight;

namespace {

/// An empty folder in which a folder can be made; notes which of the requests for that were repeated.
class noting_core final : public session_core {
 public:
  explicit noting_core(std::vector<bool>& repeated)
      : session_core(access::read_write, fuse_limits{.loop_threads = 1}, false), repeated_(repeated) {}
  void ended() override {}
  void interrupted(waiter_id) override {}
  void refuse_waiting() override {}
  std::vector<std::byte> leave_waiting() override { return {}; }
  [[nodiscard]] const fuse_lowlevel_ops& operations() const override {
    static const fuse_lowlevel_ops all = [] {
      fuse_lowlevel_ops operations{};
      operations.getattr = [](fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
        const auto st = folder(number);
        fuse_reply_attr(request, &st, 1000);
      };
      operations.lookup = [](fuse_req_t request, fuse_ino_t, const char*) {
        fuse_entry_param nothing{};
        nothing.entry_timeout = 1000;
        fuse_reply_entry(request, &nothing);
      };
      operations.mkdir = [](fuse_req_t request, fuse_ino_t, const char*, mode_t) {
        core_of<noting_core>(fuse_req_userdata(request)).repeated_.push_back(request_is_repeated());
        fuse_entry_param entry{};
        entry.ino = 2;
        entry.attr = folder(2);
        fuse_reply_entry(request, &entry);
      };
      return operations;
    }();
    return all;
  }

 private:
  static struct stat folder(fuse_ino_t number) {
    struct stat st {};
    st.st_ino = number;
    st.st_mode = S_IFDIR | 0755U;
    st.st_nlink = 2;
    return st;
  }
  std::vector<bool>& repeated_;
};

void answer_not_there(int device, const fuse_in_header& request) {
  const fuse_out_header answer{sizeof answer, -ENOENT, request.unique};
  REQUIRE(write(device, &answer, sizeof answer) == sizeof answer);
}

/// Lets a process do something that ends without tidying up. It must not use Catch.
template <class Work>
void in_a_process_that_dies(Work work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(work() ? 0 : 1);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

}  // namespace

TEST_CASE("a session knows which requests were put to a process before") {
  if (!mounting_is_possible()) return;
  const temporary_folder folder;
  std::vector<bool> repeated;
  handed_over_session session(folder.path() / "root", std::make_unique<noting_core>(repeated));
  const auto& point = session.point();
  std::filesystem::create_directory(point / "before");
  CHECK(std::filesystem::is_directory(point));  // the kernel remembers what it looks like
  if (!session.can_go_on()) return;
  session.end();
  auto made = std::async(std::launch::async, [&] { return mkdir((point / "new").c_str(), 0700); });
  auto request = take_request(session.device());
  if (request.opcode == FUSE_LOOKUP) {
    answer_not_there(session.device(), request);
    request = take_request(session.device());
  }
  CHECK(request.opcode == FUSE_MKDIR);
  session.go_on(std::make_unique<noting_core>(repeated));
  CHECK(made.get() == 0);
  std::filesystem::create_directory(point / "after");
  CHECK(repeated == std::vector<bool>{false, true, false});
}

TEST_CASE("what a process before has done is done when it is asked once more") {
  if (geteuid() != 0) {
    test::note_skipped("the marks of a layer need root");
    return;
  }
  const temporary_folder folder;
  const auto image = small_image();
  const whole_contents store(folder.path() / "store", image);
  const auto opened =
      writable_tree::open(image.toc, 7, store, {folder.path() / "upper", folder.path() / "work"}, 1U << 20U);
  REQUIRE(opened);
  auto& files = **opened;
  const auto inner = files.lookup(root_inode, "folder")->number;
  const auto twice = [](auto carry_out) {
    REQUIRE(carry_out());
    auto again = carry_out();
    REQUIRE_FALSE(again);
    return again;
  };

  const auto made = [&] {
    return files.make(root_inode, "new", S_IFDIR | 0755U, 0, {}, writable_tree::opened::no);
  };
  const auto made_again = repeated::made(files, root_inode, "new", twice(made));
  REQUIRE(made_again);
  CHECK(made_again->number == files.lookup(root_inode, "new")->number);
  const auto linked = [&] { return files.link(files.lookup(root_inode, "one")->number, inner, "three"); };
  CHECK(repeated::made(files, inner, "three", twice(linked))->attributes.st_nlink == 3);
  CHECK(repeated::removed(twice([&] { return files.unlink(root_inode, "two"); })));
  CHECK(repeated::removed(twice([&] { return files.remove_folder(root_inode, "new"); })));
  const auto number = files.lookup(root_inode, "one")->number;
  const auto set = twice([&] { return files.set_xattr(number, "user.a", "b", XATTR_CREATE); });
  CHECK(repeated::set(files, number, "user.a", "b", set));
  CHECK(repeated::set(files, number, "user.a", "other", set).error() == EEXIST);
  CHECK(repeated::removed(twice([&] { return files.remove_xattr(number, "user.a"); })));
  const layer_place from{root_inode, "one"};
  const layer_place to{inner, "other"};
  const auto moved = twice([&] { return files.rename(from, to, 0); });
  CHECK(repeated::moved(files, from, to, moved));

  // Other reasons stay reasons.
  CHECK(repeated::made(files, root_inode, ".wh.no", refuse(EPERM)).error() == EPERM);
  CHECK(repeated::removed(files.remove_folder(root_inode, "folder")).error() == ENOTEMPTY);
  const layer_place nowhere{inner, "nowhere"};
  CHECK(repeated::moved(files, from, nowhere, files.rename(from, nowhere, 0)).error() == ENOENT);
}

TEST_CASE("an exchange of two names is carried out once, wherever the process before has died") {
  if (!mounting_is_possible()) return;
  const bool carried_out = GENERATE(true, false);
  const bool by_two = GENERATE(true, false);
  CAPTURE(carried_out, by_two);
  const changing_mount mount;
  handed_over_session session(mount.folder.path() / "root", mount.core(session_life::fresh));
  const auto one = session.point() / "one";
  const auto other = session.point() / "folder" / "other";
  CHECK(read_file(one) == "1");  // the kernel remembers the names
  CHECK(read_file(other) == "2");
  if (!session.can_go_on()) return;
  session.end();
  auto exchanged = std::async(std::launch::async, [&] {
    return renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  });
  auto request = take_request(session.device());
  while (request.opcode == FUSE_RELEASE) request = take_request(session.device());  // the next one's, too
  REQUIRE(request.opcode == FUSE_RENAME2);
  in_a_process_that_dies([&] {
    const auto files = mount.tree(session_life::taken_over);
    const layer_place from{root_inode, "one"};
    const layer_place to{files->lookup(root_inode, "folder")->number, "other"};
    return !carried_out || files->exchange(from, to, request.unique).has_value();
  });
  if (by_two) in_a_process_that_dies([&] { return mount.tree(session_life::taken_over) != nullptr; });
  session.go_on(mount.core(session_life::taken_over));
  CHECK(exchanged.get() == 0);
  CHECK(read_file(one) == "2");
  CHECK(read_file(other) == "1");
  CHECK_FALSE(std::filesystem::exists(mount.folder.path() / "work" / "firstlight-exchanges"));
}

TEST_CASE("what is noted of an exchange tells of one request of one session") {
  if (geteuid() != 0) {
    test::note_skipped("the marks of a layer need root");
    return;
  }
  const changing_mount mount;
  const layer_place from{root_inode, "one"};
  const layer_place to{root_inode, "folder"};
  in_a_process_that_dies([&] { return mount.tree(session_life::fresh)->exchange(from, to, 10).has_value(); });
  auto files = mount.tree(session_life::taken_over);
  CHECK(files->was_exchanged(from, to, 10));
  CHECK_FALSE(files->was_exchanged(from, to, 12));
  REQUIRE(files->rename(from, to, RENAME_EXCHANGE));
  CHECK_FALSE(files->was_exchanged(from, to, 10));
  REQUIRE(files->exchange(from, to, 14));
  files->forget_exchange(14);
  CHECK_FALSE(files->was_exchanged(from, to, 14));
  files.reset();
  files = mount.tree(session_life::fresh);
  CHECK_FALSE(files->was_exchanged(from, to, 10));
}
