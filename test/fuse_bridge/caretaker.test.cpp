#include "fuse_bridge/caretaker.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <cstring>
#include <span>

#include "fuse_bridge/hybrid/content_node.hpp"
#include "storage/file_io.hpp"
#include "test/harness/node/test_image.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

constexpr std::int32_t notify_resend = 7;

struct answer {
  std::uint64_t request = 0;
  int error = 0;
  std::string data;
  friend bool operator==(const answer&, const answer&) = default;
};

/// A store with one content, and the kernel's end of a device that is a socket of packets.
struct fixture {
  temporary_folder folder;
  std::string bytes = patterned_bytes(10'000, 1);
  content_id id;
  toc_id toc;
  early_contents early{folder.path() / "early"};
  caretaker care{{folder.path() / "contents", folder.path() / "early"}};
  file_descriptor kernel;
  file_descriptor device;

  fixture() {
    for (std::size_t i = 0; i < id.root.bytes.size(); ++i)
      id.root.bytes[i] = static_cast<std::byte>(7 * i + 130);
    toc.value.bytes[1] = std::byte{9};
    const auto path = folder.path() / "contents" / content_name(id).view();
    std::filesystem::create_directories(path.parent_path());
    REQUIRE(write_file(path, std::as_bytes(std::span(bytes))));
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    kernel = file_descriptor(ends[0]);
    device = file_descriptor(ends[1]);
    care.begin(device.get());
    CHECK(repeats());
  }

  template <class Fields>
  void ask(std::uint32_t opcode, std::uint64_t request, std::uint64_t node, const Fields& fields,
           pid_t by = getpid()) const {
    struct {
      fuse_in_header header;
      Fields fields;
    } message{};
    message.header.len = sizeof message;
    message.header.opcode = opcode;
    message.header.unique = request;
    message.header.nodeid = node;
    message.header.pid = static_cast<std::uint32_t>(by);
    message.fields = fields;
    REQUIRE(write(kernel.get(), &message, sizeof message) == sizeof message);
  }
  void read(std::uint64_t request, std::uint64_t node, std::uint64_t offset, std::uint32_t size,
            pid_t by = getpid()) const {
    fuse_read_in fields{};
    fields.offset = offset;
    fields.size = size;
    ask(FUSE_READ, request, node, fields, by);
  }
  /// Whether the kernel has been told to repeat what it has asked.
  [[nodiscard]] bool repeats() const {
    fuse_out_header header{};
    return ::read(kernel.get(), &header, sizeof header) == sizeof header && header.unique == 0 &&
           header.error == notify_resend;
  }
  std::vector<answer> answers() {
    care.serve(device.get());
    std::vector<answer> all;
    std::string packet(1U << 17U, '\0');
    for (;;) {
      const auto got = ::read(kernel.get(), packet.data(), packet.size());
      if (got < static_cast<ssize_t>(sizeof(fuse_out_header))) return all;
      fuse_out_header header{};
      std::memcpy(&header, packet.data(), sizeof header);
      CHECK(header.len == got);
      all.push_back({header.unique, -header.error,
                     packet.substr(sizeof header, static_cast<std::size_t>(got) - sizeof header)});
    }
  }
};

content_id other_than(content_id id) {
  id.root.bytes[3] ^= std::byte{1};  // its folder is the same
  return id;
}

}  // namespace

TEST_CASE("a caretaker answers reads of what is there whole, and lets others wait") {
  fixture all;
  all.read(1, content_node::of(all.id), 0, 4096);
  all.read(2, content_node::of(other_than(all.id)), 0, 4096);
  all.read(3, content_node::of(all.id), 8192, 4096);
  all.read(4, content_node::of(all.id), 20'000, 4096);
  CHECK(all.answers() ==
        std::vector<answer>{{1, 0, all.bytes.substr(0, 4096)}, {3, 0, all.bytes.substr(8192)}, {4, 0, ""}});
  CHECK(all.answers().empty());
}

TEST_CASE("a caretaker knows what early names have come to mean, once somebody has said so") {
  fixture all;
  const early_content named{mark_of(all.toc), 2};
  all.read(1, content_node::of(named), 100, 50);
  CHECK(all.answers().empty());
  const std::vector<content_id> contents{other_than(all.id), other_than(all.id), all.id};
  REQUIRE(all.early.keep(all.toc, contents));
  all.read(2, content_node::of(named), 100, 50);
  CHECK(all.answers() == std::vector<answer>{{2, 0, all.bytes.substr(100, 50)}});
  all.read(3, content_node::of(early_content{named.toc_mark, 3}), 0, 50);
  all.read(4, content_node::of(early_content{named.toc_mark + 1, 2}), 0, 50);
  CHECK(all.answers().empty());
  all.early.forget(all.toc);
  CHECK_FALSE(all.early.find(named));
}

TEST_CASE("who is killed while he waits for a node is let go, and nobody else whom a signal reaches") {
  fixture all;
  const auto gone = fork();
  if (gone == 0) _exit(0);
  REQUIRE(waitpid(gone, nullptr, 0) == gone);
  all.read(5, content_node::of(other_than(all.id)), 0, 4096, gone);
  all.read(6, content_node::of(other_than(all.id)), 0, 4096);
  CHECK(all.answers().empty());
  CHECK_FALSE(all.care.watches());
  all.ask(FUSE_INTERRUPT, 7, 0, fuse_interrupt_in{6});
  CHECK(all.answers().empty());
  CHECK(all.care.watches());  // he may be killed yet
  all.ask(FUSE_INTERRUPT, 8, 0, fuse_interrupt_in{5});
  CHECK(all.answers() == std::vector<answer>{{5, EINTR, ""}});
  all.ask(FUSE_INTERRUPT, 9, 0, fuse_interrupt_in{5});  // too late
  CHECK(all.answers().empty());
  all.care.end(all.device.get());
  CHECK_FALSE(all.care.watches());
}

TEST_CASE("what waits with a caretaker is asked again of the next node, and only then") {
  fixture all;
  SECTION("something waits") {
    all.ask(FUSE_GETATTR, 8, content_node::of(all.id), fuse_getattr_in{});
    CHECK(all.answers().empty());
    all.care.end(all.device.get());
    CHECK(all.repeats());
  }
  SECTION("nothing does") {
    all.ask(FUSE_FORGET, 9, content_node::of(all.id), fuse_forget_in{1});
    all.read(10, content_node::of(all.id), 0, 10);
    CHECK(all.answers().size() == 1);
    all.care.end(all.device.get());
  }
  CHECK_FALSE(all.repeats());
}

TEST_CASE("messages that are too short are passed over") {
  fixture all;
  REQUIRE(write(all.kernel.get(), "short", 5) == 5);
  fuse_in_header bare{};
  bare.opcode = FUSE_READ;
  bare.unique = 11;
  bare.nodeid = content_node::of(all.id);
  REQUIRE(write(all.kernel.get(), &bare, sizeof bare) == sizeof bare);
  CHECK(all.answers().empty());
}

TEST_CASE("a content's node says what it was made of") {
  const early_content early{0x3fffffff, 0xfffffffe};
  CHECK(content_node::early(content_node::of(early)) == early);
  CHECK_FALSE(content_node::says_id(content_node::of(early)));
  const fixture all;
  CHECK(content_node::says_id(content_node::of(all.id)));
  CHECK_FALSE(content_node::early(content_node::of(all.id)));
  CHECK(content_node::first_byte(content_node::of(all.id)) == 130);
  CHECK_FALSE(content_node::early(1));
  CHECK_FALSE(content_node::says_id(1));
}
