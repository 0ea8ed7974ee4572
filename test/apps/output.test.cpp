#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/image_file.hpp"
#include "apps/progress_display.hpp"
#include "apps/runc_config.hpp"
#include "apps/runtime_process.hpp"
#include "apps/status_text.hpp"
#include "apps/table.hpp"

using namespace firstlight;

namespace {

class temporary_folder {
 public:
  temporary_folder() {
    auto path = (std::filesystem::temp_directory_path() / "firstlight-test-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~temporary_folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

process_spec redis() {
  return {.arguments = {"redis-server"},
          .environment = {"A=1"},
          .uid = 101,
          .gid = 103,
          .groups = {4},
          .working_directory = "/data"};
}

}  // namespace

TEST_CASE("a table aligns its columns and strips control characters") {
  table rows({"A", "LONGER"});
  rows.add({"word\x1b[2J", "x"});
  CHECK(rows.text() == "A         LONGER\nword?[2J  x\n");
}

TEST_CASE("what could steer a terminal is not printed, whatever its encoding, and all other characters are") {
  CHECK(printable("a\nb\x1b\x7f") == "a?b??");
  CHECK(printable("\xc2\x9b"
                  "2J") == "??2J");  // one character that begins a control sequence
  CHECK(printable("\x9b"
                  "2J\xc3") == "?2J?");
  CHECK(printable("k\xc3\xa4se\xc2\xa0\xe2\x82\xac") == "k\xc3\xa4se\xc2\xa0\xe2\x82\xac");
}

TEST_CASE("progress names stage, bytes, rate and time left, within the terminal") {
  const admin_progress half{"receiving", 24'000'000, 48'000'000};
  CHECK(progress_line(half, 12'000'000, 200) ==
        "receiving  [############............] 24 MB of 48 MB, 12 MB/s, 3.0 s left");
  CHECK(progress_line({"resolving", 0, 0}, 0, 200) == "resolving");
  CHECK(progress_line({"reading a\x1b[2J", 0, 0}, 0, 200) == "reading a?[2J");
  CHECK(progress_line(half, 12'000'000, 20).size() == 19);
  CHECK(progress_line({"receiving", 60, 48}, 0, 200).find("[########################]") != std::string::npos);
}

TEST_CASE("the status says who waits, for what and why") {
  admin_node_status status;
  admin_mount mount;
  mount.name = "redis";
  mount.bytes_total = 100;
  mount.bytes_ready = 40;
  mount.waiting.push_back({.pid = 7,
                           .path = "/lib/libc.so.6",
                           .offset = 16384,
                           .bytes = 4096,
                           .waiting_ms = 2'500,
                           .cause = "the link"});
  mount.failed_blocks = 2;
  mount.last_error = "arrived damaged 3 times";
  mount.failure = "take it down";
  mount.mode = "overlay";
  mount.method = "overlay on FUSE";
  mount.fallback = "not hybrid: no EROFS";
  mount.opens_through = 3;
  mount.opens_by_fuse = 5;
  status.mounts.push_back(mount);
  status.link.state = "down";
  status.link.last_error = "connection refused";
  status.notices = {"BBR is missing"};
  const auto text = status_text(status, 0);
  CHECK(text.find("lazy: 40 %") != std::string::npos);
  CHECK(text.find("WAITS 2.5 s: process 7, /lib/libc.so.6 at 16384 (the link)") != std::string::npos);
  CHECK(text.find("FAILED 2 blocks: arrived damaged 3 times") != std::string::npos);
  CHECK(text.find("FAILED: take it down") != std::string::npos);
  CHECK(text.find("overlay: overlay on FUSE (not hybrid: no EROFS)") != std::string::npos);
  CHECK(text.find("3 files opened past FUSE, 5 through it") != std::string::npos);
  CHECK(text.find("last error: connection refused") != std::string::npos);
  CHECK(text.find("note: BBR is missing") != std::string::npos);
}

TEST_CASE("the status says which starts are recorded, and what was said otherwise") {
  admin_node_status status;
  CHECK(status_text(status, 0).find("recording") == std::string::npos);
  status.recording = {"first", 8, {{"", "", false}, {"redis:7", "", true}, {"", "shop", true}}};
  CHECK(
      status_text(status, 0).find("recording first 8 starts of an image, off for all, on for redis:7, on for "
                                  "the group shop\n") != std::string::npos);
}

TEST_CASE("sessions are listed with what they get and may have on its way") {
  const std::vector<admin_session> sessions{{.name = "n1",
                                             .address = "10.0.0.2:4711",
                                             .joined_at = 1'000,
                                             .bytes_sent = 48'000'000,
                                             .bytes_in_flight = 1'000'000,
                                             .credit_bytes = 4'000'000,
                                             .round_trip_us = 900,
                                             .deliveries = {{.id = 1}, {.id = 2}}}};
  const auto text = sessions_text(sessions, 1'060);
  CHECK(text.starts_with("NODE  ADDRESS        SINCE"));
  CHECK(text.find("n1    10.0.0.2:4711") != std::string::npos);
  for (const std::string part : {" 2 ", "48 MB", "1.0 MB", "4.0 MB", "900 us"}) {
    INFO(text << part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(sessions_text({}, 0) == "no node has joined\n");
  const auto json = nlohmann::json::parse(sessions_json(sessions));
  REQUIRE(json["sessions"].size() == 1);
  CHECK(json["sessions"][0]["name"] == "n1");
  CHECK(json["sessions"][0]["credit_bytes"] == 4'000'000);
  CHECK(json["sessions"][0]["deliveries"].size() == 2);
  CHECK(sessions_json({}) == R"({"sessions":[]})");
}

TEST_CASE("a runtime configuration carries the process and gives capabilities to root only") {
  const auto config = nlohmann::json::parse(runc_config(redis(), {.root = "/mnt/x"}).value());
  CHECK(config["process"]["args"] == nlohmann::json({"redis-server"}));
  CHECK(config["process"]["user"] == nlohmann::json({{"uid", 101}, {"gid", 103}, {"additionalGids", {4}}}));
  CHECK(config["process"]["capabilities"]["effective"].empty());
  CHECK(config["root"]["path"] == "/mnt/x");
  auto root = redis();
  root.uid = 0;
  const auto privileged = nlohmann::json::parse(runc_config(root, {.root = "/mnt/x"}).value());
  CHECK(privileged["process"]["capabilities"]["effective"].size() == 14);
}

TEST_CASE("what a runtime cannot be told since it is not UTF-8 is refused in one line") {
  for (auto text : {&process_spec::arguments, &process_spec::environment}) {
    auto process = redis();
    (process.*text).push_back("NAME=\xff");
    CHECK(runc_config(process, {.root = "/mnt/x"}).error().code == errc::invalid_argument);
  }
  auto elsewhere = redis();
  elsewhere.working_directory = "/\xff";
  CHECK(runc_config(elsewhere, {.root = "/mnt/x"}).error().code == errc::invalid_argument);
}

TEST_CASE("a container has the host's network unless it is told otherwise") {
  const auto has_network = [](const std::string& text) {
    return text.find("\"network\"") != std::string::npos;
  };
  CHECK_FALSE(has_network(runc_config(redis(), {.root = "/x"}).value()));
  const auto own =
      runc_config(redis(), {.root = "/x", .hostname = "box", .network = network_kind::none}).value();
  CHECK(has_network(own));
  CHECK(nlohmann::json::parse(own)["hostname"] == "box");
}

TEST_CASE("files of an image are read inside its root, whatever its links say") {
  const temporary_folder folder;
  const auto root = folder.path() / "root";
  std::filesystem::create_directories(root / "etc");
  std::ofstream(folder.path() / "secret") << "outside";
  std::ofstream(root / "secret") << "inside";
  std::filesystem::create_symlink("../../../../../../../../secret", root / "etc/passwd");
  std::filesystem::create_symlink("/secret", root / "etc/group");
  CHECK(read_image_file(root, "/etc/passwd").value() == "inside");
  CHECK(read_image_file(root, "/etc/group").value() == "inside");
  CHECK(read_image_file(root, "/etc/shadow").value().empty());
  REQUIRE(mkfifo((root / "etc/fifo").c_str(), 0600) == 0);
  CHECK(read_image_file(root, "/etc/fifo").error().code == errc::io);
  CHECK(read_image_file(root / "absent", "/etc/passwd").error().code == errc::io);
  std::ofstream(root / "etc/big") << std::string((1U << 20U) + 1, 'x');
  CHECK(read_image_file(root, "/etc/big").error().code == errc::limit_exceeded);
}

TEST_CASE("an attached program's exit code and signal come back") {
  sigset_t none;
  sigemptyset(&none);
  CHECK(run_attached({"sh", "-c", "exit 7"}, none).value() == 7);
  CHECK(run_attached({"sh", "-c", "kill -TERM $$"}, none).value() == 143);
  CHECK(run_attached({"firstlight-no-such-program"}, none).error().code == errc::not_found);
}

TEST_CASE("a signal that is ignored here still ends an attached program") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  CHECK(run_attached({"sh", "-c", "kill -PIPE $$; exit 3"}, none).value() == 128 + SIGPIPE);
  std::signal(SIGPIPE, before);
}

TEST_CASE("signals are passed on to an attached program") {
  const auto command = "trap 'exit 9' USR1; kill -USR1 " + std::to_string(getpid()) + "; while :; do :; done";
  sigset_t none;
  sigemptyset(&none);
  CHECK(run_attached({"bash", "-c", command}, none).value() == 9);
}
