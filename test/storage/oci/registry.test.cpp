#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <thread>

#include "model/base64.hpp"
#include "storage/ingest.hpp"
#include "storage/oci/open_source.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/skipped.hpp"
#include "test/harness/tar_builder.hpp"
#include "test/storage/store_fixture.hpp"

extern char** environ;

namespace firstlight {
namespace {

std::uint16_t free_port() {
  const int s = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  REQUIRE(bind(s, reinterpret_cast<sockaddr*>(&at), length) == 0);
  REQUIRE(getsockname(s, reinterpret_cast<sockaddr*>(&at), &length) == 0);
  close(s);
  return ntohs(at.sin_port);
}

bool answers(std::uint16_t port) {
  const int s = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool good = connect(s, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  close(s);
  return good;
}

/// Debian's docker-registry on a free port of the loopback, ended with its life.
class running_registry {
 public:
  explicit running_registry(const std::filesystem::path& folder, const std::string& more = "",
                            const std::string& http = "")
      : port_(free_port()) {
    const auto config = (folder / "registry.yml").string();
    std::ofstream(config) << "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: "
                          << (folder / "registry").string() << "}}\nhttp: {addr: '" << host() << "'" << http
                          << "}\n"
                          << more;
    std::vector<std::string> words{"docker-registry", "serve", config};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    REQUIRE(posix_spawnp(&id_, arguments[0], &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    while (!answers(port_)) REQUIRE(waitpid(id_, nullptr, WNOHANG) == 0);
  }
  ~running_registry() {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }
  running_registry(const running_registry&) = delete;
  running_registry& operator=(const running_registry&) = delete;
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  std::uint16_t port_;
  pid_t id_ = 0;
};

struct registry_bench {
  temporary_folder folder;
  opened_store store{folder.path() / "store"};
  ingest_limits limits;
  std::unique_ptr<layer_cache> layers = make_layer_cache(*store.metadata);
  std::filesystem::path layout = folder.path() / "layout";

  registry_bench() {
    write_layout(layout, {tar_builder().file("a", std::string(300'000, 'a')).take(),
                          tar_builder().file("b", "b").take()});
  }
  [[nodiscard]] int push(const std::string& host, const std::string& options = "") const {
    return run_program("skopeo copy --dest-tls-verify=false " + options + " oci:" + layout.string() +
                       ":latest docker://" + host + "/team/app:1");
  }
  result<ingested_image> ingest(const std::string& reference,
                                const std::filesystem::path& docker_config = "/nonexistent",
                                const registry_limits& registry = {}) {
    auto source = open_image_source(*parse_image_reference(reference),
                                    {.limits = limits, .registry = registry, .docker_config = docker_config});
    REQUIRE(source);
    return ingest_image(**source, host_platform(), {*store.contents, *layers, limits, {}});
  }
};

}  // namespace

TEST_CASE("an image of a registry equals the same image of a layout", "[registry]") {
  registry_bench bench;
  running_registry registry(bench.folder.path());
  REQUIRE(bench.push(registry.host()) == 0);
  auto pulled = bench.ingest(registry.host() + "/team/app:1");
  REQUIRE(pulled);
  CHECK(pulled->layers_read == 2);
  auto local = bench.ingest("oci:" + bench.layout.string());
  REQUIRE(local);
  CHECK(local->tree == pulled->tree);
  CHECK(local->layers_read == 2);  // a registry's word is none for files

  auto source = open_image_source(*parse_image_reference(registry.host() + "/team/app:1"));
  REQUIRE(source);
  CHECK((*source)->current_digest() == pulled->top_digest);
  auto pinned = bench.ingest(registry.host() + "/team/app@" + pulled->top_digest.oci());
  CHECK(pinned.has_value());
}

TEST_CASE("a tag that a registry does not have is not found", "[registry]") {
  registry_bench bench;
  running_registry registry(bench.folder.path());
  auto pulled = bench.ingest(registry.host() + "/team/none:1");
  REQUIRE_FALSE(pulled);
  CHECK(pulled.error().code == errc::not_found);
}

TEST_CASE("a registry behind a password takes the login of Docker's config file", "[registry]") {
  registry_bench bench;
  const auto passwords = bench.folder.path() / "htpasswd";
  REQUIRE(run_program("htpasswd -Bbc " + passwords.string() + " ann secret") == 0);
  running_registry registry(bench.folder.path(),
                            "auth: {htpasswd: {realm: here, path: " + passwords.string() + "}}\n");
  REQUIRE(bench.push(registry.host(), "--dest-creds ann:secret") == 0);
  auto refused = bench.ingest(registry.host() + "/team/app:1");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::denied);
  const auto config = bench.folder.path() / "config.json";
  std::ofstream(config) << R"({"auths":{")" << registry.host() << R"(":{"auth":")"
                        << base64_encode("ann:secret") << R"("}}})";
  CHECK(bench.ingest(registry.host() + "/team/app:1", config).has_value());
}

TEST_CASE("a registry with TLS is pulled from if its CA is known, also behind a password", "[registry]") {
  registry_bench bench;
  const auto file = [&](const char* name) { return (bench.folder.path() / name).string(); };
  REQUIRE(run_program("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry "
                      "-addext subjectAltName=IP:127.0.0.1 -keyout " +
                      file("key.pem") + " -out " + file("ca.pem")) == 0);
  REQUIRE(run_program("htpasswd -Bbc " + file("htpasswd") + " ann secret") == 0);
  running_registry registry(bench.folder.path(),
                            "auth: {htpasswd: {realm: here, path: " + file("htpasswd") + "}}\n",
                            ", tls: {certificate: " + file("ca.pem") + ", key: " + file("key.pem") + "}");
  REQUIRE(bench.push(registry.host(), "--dest-creds ann:secret") == 0);
  const std::filesystem::path login = file("config.json");
  std::ofstream(login) << R"({"auths":{")" << registry.host() << R"(":{"auth":")"
                       << base64_encode("ann:secret") << R"("}}})";
  const auto reference = registry.host() + "/team/app:1";
  registry_limits known;
  known.ca_file = file("ca.pem");
  CHECK(bench.ingest(reference, login, known).has_value());
  CHECK(bench.ingest(reference, "/nonexistent", known).error().code == errc::denied);

  registry_limits other;
  REQUIRE(run_program("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout " +
                      file("other-key.pem") + " -out " + file("other.pem")) == 0);
  other.ca_file = file("other.pem");
  const auto refused = bench.ingest(reference, login, other);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::failed_precondition);
}

TEST_CASE("a registry is spoken to by TLS and believed by the system's certificate authorities",
          "[registry]") {
  if (geteuid() != 0)
    return test::note_skipped("it mounts files over the system's, in a namespace of its own, as root");
  registry_bench bench;
  const auto file = [&](const std::string& name) { return (bench.folder.path() / name).string(); };
  REQUIRE(run_program("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry.test "
                      "-addext subjectAltName=DNS:registry.test,IP:127.0.0.1 -keyout " +
                      file("key.pem") + " -out " + file("ca.pem")) == 0);
  running_registry registry(bench.folder.path(), "",
                            ", tls: {certificate: " + file("ca.pem") + ", key: " + file("key.pem") + "}");
  REQUIRE(bench.push(registry.host()) == 0);
  std::ofstream(file("hosts")) << "127.0.0.1 localhost registry.test\n";
  const auto reference = "registry.test" + registry.host().substr(registry.host().rfind(':')) + "/team/app:1";
  const auto over = [](const std::string& own, const char* systems) {
    return mount(own.c_str(), systems, nullptr, MS_BIND, nullptr) == 0;
  };
  bool prepared = false;
  std::optional<result<ingested_image>> unknown;
  std::optional<result<ingested_image>> known;
  std::thread elsewhere([&] {
    prepared = unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               over(file("hosts"), "/etc/hosts");
    if (!prepared) return;
    unknown = bench.ingest(reference);
    prepared = over(file("ca.pem"), "/etc/ssl/certs/ca-certificates.crt");
    known = bench.ingest(reference);
  });
  elsewhere.join();
  REQUIRE(prepared);
  REQUIRE_FALSE(*unknown);
  CHECK(unknown->error().code == errc::failed_precondition);
  CHECK(known->has_value());
}

TEST_CASE("archives give the same tree as the layout that they were made from", "[registry]") {
  registry_bench bench;
  const auto local = bench.ingest("oci:" + bench.layout.string());
  REQUIRE(local);
  const std::string oci = (bench.folder.path() / "a.tar").string();
  const std::string docker = (bench.folder.path() / "d.tar").string();
  const std::string from = "skopeo copy oci:" + bench.layout.string() + ":latest ";
  REQUIRE(run_program(from + "oci-archive:" + oci + ":latest") == 0);
  REQUIRE(run_program(from + "docker-archive:" + docker + ":team/app:1") == 0);
  auto archived = bench.ingest("oci-archive:" + oci);
  REQUIRE(archived);
  CHECK(archived->tree == local->tree);
  REQUIRE(run_program("gzip -k " + docker) == 0);
  for (const std::string& name : {docker, docker + ".gz"}) {
    auto saved = bench.ingest("docker-archive:" + name + ":team/app:1");
    REQUIRE(saved);
    CHECK(saved->tree == local->tree);
  }
}

}  // namespace firstlight
