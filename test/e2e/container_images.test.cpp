#include <sys/mount.h>

#include <iostream>

#include "test/e2e/real_image.hpp"
#include "test/e2e/slow_image.hpp"

/// The life of images and containers under a real containerd, from a real registry: pulled lazily, run until
/// ready, looked into, written to, committed, updated and removed, through restarts of everything around
/// them.
namespace firstlight {
namespace {

namespace fs = std::filesystem;

/// A program to run, and how it shows that it works.
struct served_program {
  std::string image;
  std::vector<std::string> serve;  ///< goes on until it is killed
  std::vector<std::string> ask;    ///< inside of the running container, until it says `answer`
  std::string answer;
};

/// The first line that a server says, in a shell of an image that has no client.
std::vector<std::string> talk(int port, const std::string& request, const std::string& take) {
  return {"bash", "-c",
          "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(port) + " && printf '" + request + "' >&3 && " +
              take + " <&3"};
}
const auto get_page = talk(80, "GET / HTTP/1.0\\r\\n\\r\\n", "head -n 1");

const std::vector<served_program> programs{
    {"redis",
     {"redis-server", "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"},
     {"redis-cli", "ping"},
     "PONG"},
    {"nginx", {"nginx", "-g", "daemon off;"}, get_page, "HTTP/1.1 200 OK"},
    {"postgres",
     {"/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/15/main", "-c",
      "config_file=/etc/postgresql/15/main/postgresql.conf", "-c", "unix_socket_directories=/tmp"},
     {"psql", "-h", "/tmp", "-Atc", "SELECT 6 * 7"},
     "42"},
    {"python3", {"python3", "-m", "http.server", "80"}, get_page, "HTTP/1.0 200 OK"},
    {"nodejs",
     {"node", "-e", "require('http').createServer((_, to) => to.end('x')).listen(80)"},
     get_page,
     "HTTP/1.1 200 OK"},
    // RMI's registry acknowledges its protocol.
    {"openjdk",
     {"java", "-m", "java.rmi/sun.rmi.registry.RegistryImpl", "1099"},
     talk(1099, "JRMI\\0\\2K", "head -c 1"),
     "N"},
};

std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

/// While files are being removed there are some.
bool has_files(const fs::path& folder) {
  std::error_code problem;
  for (fs::recursive_directory_iterator at(folder, problem), end; !problem && at != end;
       at.increment(problem))
    if (at->is_regular_file(problem)) return true;
  return problem.value() != 0;
}

nlohmann::json blob_of(const fs::path& layout, const nlohmann::json& descriptor) {
  auto digest = descriptor.at("digest").get<std::string>();
  std::replace(digest.begin(), digest.end(), ':', '/');
  return nlohmann::json::parse(text_of(layout / "blobs" / digest));
}

/// Whether the programs of an image may write everywhere in it.
bool runs_as_root(const fs::path& layout) {
  const auto index = nlohmann::json::parse(text_of(layout / "index.json"));
  const auto manifest = blob_of(layout, index.at("manifests").at(0));
  const auto config = blob_of(layout, manifest.at("config")).value("config", nlohmann::json::object());
  return config.value("User", "").empty();
}

/// One program through all of its life.
class life {
 public:
  life(served_program program, fs::path first, fs::path second)
      : what_(std::move(program)),
        layouts_{std::move(first), std::move(second)},
        root_(runs_as_root(layouts_[0])) {}

  void run() {
    start_two();
    write_in_one();
    restart_everything();
    commit_one();
    update();
    remove_all();
  }

 private:
  [[nodiscard]] bool ready(const std::string& container) {
    return eventually([&] {
      const auto said = engine_.exec(container, what_.ask);
      return said.exit_code == 0 && said.output.starts_with(what_.answer);
    });
  }
  void wait_complete(const std::string& reference) {
    const auto end = all_.on_node({"wait", "--timeout", "5m", reference});
    INFO(end.errors);
    REQUIRE(end.exit_code == 0);
  }

  /// On a link so slow that a program which waited for the whole image would be late.
  void start_two() {
    all_.link().rate(3'000'000);
    reference_ = engine_.push(layouts_[0], "team/" + what_.image + ":1");
    check_good(engine_.pull(reference_));
    check_good(engine_.run_detached(reference_, "one", what_.serve));
    REQUIRE(ready("one"));
    CHECK(all_.node_status()["mounts"][0]["complete"] == false);
    all_.link().rate(0);
    check_good(engine_.run_detached(reference_, "two", what_.serve));
    REQUIRE(ready("two"));
    CHECK(all_.node_status()["mounts"].size() == 1);
    wait_complete(reference_);
  }

  void write_in_one() {
    check_good(engine_.exec("one", shell("echo mine >/tmp/mine")));
    const auto changed = engine_.exec("one", shell("echo changed >/etc/debian_version"));
    INFO(changed.output << changed.errors);
    REQUIRE((changed.exit_code == 0) == root_);
    CHECK(engine_.exec("one", shell("cat /tmp/mine")).output == "mine\n");
    CHECK((engine_.exec("one", shell("cat /etc/debian_version")).output == "changed\n") == root_);
    CHECK(engine_.exec("two", shell("cat /tmp/mine")).exit_code != 0);
    CHECK(engine_.exec("two", shell("cat /etc/debian_version")).output.starts_with("12"));
  }

  void restart_everything() {
    const auto before = engine_.snapshots();
    REQUIRE(all_.stop_node());
    CHECK(ready("one"));
    all_.start_node();
    engine_.restart();
    all_.kill_hub();
    all_.start_hub();
    all_.await_joined();
    CHECK(engine_.snapshots() == before);
    for (const auto* container : {"one", "two"}) CHECK(ready(container));
  }

  void commit_one() {
    engine_.end("one");
    check_good(
        engine_.ctr({"snapshots", "--snapshotter", "firstlight", "commit", "kept", engine_.whole("one")}));
    const auto seen = engine_.mounted("view", "seen", "kept");
    CHECK(text_of(seen / "tmp/mine") == "mine\n");
    CHECK((text_of(seen / "etc/debian_version") == "changed\n") == root_);
    CHECK(fs::exists(seen / "bin/sh"));
    REQUIRE(umount2(seen.c_str(), 0) == 0);
    for (const auto* key : {"seen", "kept"})
      engine_.ctr({"snapshots", "--snapshotter", "firstlight", "rm", key});  // or containerd has, as garbage
  }

  void update() {
    const auto before = all_.bytes_received();
    next_ = engine_.push(layouts_[1], "team/" + what_.image + ":2");
    check_good(engine_.pull(next_));
    check_good(engine_.run_detached(next_, "new", what_.serve));
    CHECK(ready("new"));
    CHECK(ready("two"));
    wait_complete(next_);
    const auto came = all_.bytes_received() - before;
    const auto whole = bytes_below(layouts_[1] / "blobs");
    std::cout << what_.image << ": its update took " << came << " of " << whole << " bytes" << std::endl;
    CHECK(came < whole / 2);
  }

  void remove_all() {
    check_good(engine_.ctr({"containers", "rm", engine_.whole("one")}));
    for (const auto* container : {"two", "new"}) engine_.remove(container);
    for (const auto& image : {reference_, next_}) check_good(engine_.ctr({"images", "rm", "--sync", image}));
    CHECK(eventually([&] { return engine_.snapshots().empty(); }));
    CHECK(eventually([&] { return all_.node_status()["store_bytes"] == 0; }));
    CHECK(eventually([&] { return all_.mounts().empty(); }));
    for (const auto* folder : {"contents", "snapshots"})
      CHECK(eventually([&] { return !has_files(all_.node_store() / folder); }));
  }

  served_program what_;
  std::array<fs::path, 2> layouts_;
  bool root_;  ///< the image's user may write everywhere
  std::string reference_;
  std::string next_;
  cluster all_;
  containerd_daemon engine_{all_};
};

}  // namespace

TEST_CASE("an image and its containers live under containerd from the first pull to the last removal") {
  if (!cluster::possible()) return;
  const temporary_folder layouts;
  const served_program program{"small",
                               {"/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/etc"},
                               {"/bin/busybox", "wget", "-q", "-O", "-", "http://127.0.0.1/passwd"},
                               "root:"};
  life(program, make_slow_image(layouts.path() / "1"), make_slow_image(layouts.path() / "2", 100, 2)).run();
}

TEST_CASE("real images and their containers live under containerd", "[all]") {
  if (!cluster::possible()) return;
  const auto program = GENERATE(from_range(programs));
  CAPTURE(program.image);
  fs::path first;
  fs::path second;
  {
    cluster maker;
    first = real_image(maker, program.image + "-before");
    second = real_image(maker, program.image);
  }
  life(program, first, second).run();
}

}  // namespace firstlight
