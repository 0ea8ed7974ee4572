#include <sys/stat.h>

#include "model/base64.hpp"
#include "test/e2e/shell_image.hpp"
#include "test/harness/cluster/containerd.hpp"

/// Images that a registry shows to some only.
namespace firstlight {
namespace {

namespace fs = std::filesystem;

const registry_user ann{"ann", "a-secret-of-anns"};
const registry_user bob{"bob", "a-secret-of-bobs"};

constexpr int denied = 6;

/// Files of users, outside of the cluster's folder: what is in that must not hold a secret.
class user_files {
 public:
  [[nodiscard]] fs::path path() const { return folder_.path(); }
  /// As 'docker login' writes it.
  [[nodiscard]] std::string authfile(const std::string& host, const registry_user& user) const {
    const auto file = folder_.path() / (user.name + ".json");
    std::ofstream(file) << R"({"auths":{")" << host << R"(":{"auth":")"
                        << base64_encode(user.name + ":" + user.password) << R"("}}})";
    return file.string();
  }
  /// A credential provider of kubelet's for all of 127.0.0.1, which logs in as this user.
  void provider(const std::string& host, const registry_user& user) const {
    const std::string version = "credentialprovider.kubelet.k8s.io/v1";
    std::ofstream(folder_.path() / "providers.yaml")
        << "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: ours\n"
        << "  matchImages: ['" << host << "']\n  defaultCacheDuration: 1m\n  apiVersion: " << version << "\n";
    const auto program = folder_.path() / "ours";
    std::ofstream(program)
        << "#!/bin/sh\ncat >/dev/null\necho '{\"kind\":\"CredentialProviderResponse\",\"apiVersion\":\""
        << version << "\",\"cacheKeyType\":\"Registry\",\"auth\":{\"" << host << "\":{\"username\":\""
        << user.name << "\",\"password\":\"" << user.password << "\"}}}'\n";
    chmod(program.c_str(), 0755);
  }

 private:
  temporary_folder folder_;
};

/// A hub without any login of its own, a node, and a registry for users only.
struct private_bench {
  cluster all;
  registry_daemon registry{all, {ann}};
  user_files users;

  explicit private_bench(const std::vector<std::string>& hub = {})
      : all({.hub = with_no_logins(hub), .node = with_no_logins({}, "logins.")}) {}
  ~private_bench() { CHECK(files_with_secrets(all.folder()).empty()); }
  private_bench(const private_bench&) = delete;
  private_bench& operator=(const private_bench&) = delete;

  static std::vector<std::string> with_no_logins(std::vector<std::string> settings,
                                                 const std::string& section = "") {
    settings.push_back(section + "docker_config=/nonexistent/config.json");
    return settings;
  }
  std::string push(const std::string& name) {
    return registry.push(make_streamed_image(all.folder() / name, {.files = 4}).layout,
                         "team/" + name + ":1");
  }
  command_end pull(const std::string& reference, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"pull", reference};
    arguments.insert(arguments.end(), more.begin(), more.end());
    if (more.empty())
      arguments.insert(arguments.end(), {"--authfile", (users.path() / "empty.json").string()});
    std::ofstream(users.path() / "empty.json") << "{}";
    return all.on_node(arguments);
  }
  command_end pull_as(const std::string& reference, const registry_user& user) {
    return pull(reference, {"--authfile", users.authfile(registry.host(), user)});
  }

  /// Logs, stores, sockets' folders: everything that hub, node and commands have written.
  static std::vector<std::string> files_with_secrets(const fs::path& folder) {
    std::vector<std::string> found;
    for (const auto& file :
         fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
      if (!file.is_regular_file()) continue;
      const auto text = text_of(file.path());
      for (const auto& user : {ann, bob})
        for (const auto& secret : {user.password, base64_encode(user.name + ":" + user.password)})
          if (text.find(secret) != std::string::npos)
            found.push_back(file.path().string() + " of " + user.name);
    }
    return found;
  }
};

void check_denied(const command_end& end) {
  INFO(end.errors);
  CHECK(end.exit_code == denied);
  CHECK(end.errors.find("docker login") != std::string::npos);
}

}  // namespace

TEST_CASE("an image of a registry that wants a login comes with one of Docker's config and not without") {
  if (!cluster::possible()) return;
  private_bench bench;
  const auto image = bench.push("app");
  check_denied(bench.pull(image));
  CHECK(bench.all.hub_status()["images"] == 0);  // the hub has not even looked at it
  check_denied(bench.pull_as(image, bob));
  check_good(bench.pull_as(image, ann));
  CHECK(bench.all.hub_status()["images"] == 1);
  const auto mounted = bench.all.mount(image, "tree");
  CHECK(hashes_of(bench.all, mounted) == hashes_of(bench.all, bench.all.folder() / "app/tree"));
}

TEST_CASE("another node does not get an image that the hub has if it may not read it") {
  if (!cluster::possible()) return;
  private_bench bench;
  const auto image = bench.push("app");
  check_good(bench.pull_as(image, ann));
  bench.all.next_node();
  check_denied(bench.pull(image));
  check_denied(bench.pull_as(image, bob));
  CHECK(bench.all.bytes_received() == 0);
  const auto mount = bench.all.on_node({"mount", image, (bench.all.folder() / "mounts/x").string(),
                                        "--authfile", (bench.users.path() / "empty.json").string()});
  check_denied(mount);
  check_good(bench.pull_as(image, ann));
}

TEST_CASE("a login that the registry does not take any more is refused when the last answer is too old") {
  if (!cluster::possible()) return;
  private_bench bench({"access.cache_time=1s", "access.refused_time=1ms"});
  const auto image = bench.push("app");
  check_good(bench.pull_as(image, ann));
  bench.registry.set_users({bob});
  command_end end;
  CHECK(eventually([&] {
    end = bench.pull_as(image, ann);
    return end.exit_code != 0;
  }));
  check_denied(end);
  check_good(bench.pull_as(image, bob));
}

TEST_CASE("while a registry is away those go on whom it has let read lately") {
  if (!cluster::possible()) return;
  private_bench bench({"access.cache_time=1ms", "access.attempts_max=1"});
  const auto image = bench.push("app");
  check_good(bench.pull_as(image, ann));
  bench.registry.stop();
  bench.all.next_node();
  const auto stranger = bench.pull(image);
  CHECK(stranger.exit_code != 0);
  CHECK(stranger.errors.find("cannot be asked") != std::string::npos);
  check_good(bench.pull_as(image, ann));
}

TEST_CASE("a credential provider of kubelet's gives the login of a node") {
  if (!cluster::possible()) return;
  private_bench bench;
  const auto image = bench.push("app");
  check_denied(bench.pull(image));
  bench.users.provider(bench.registry.host(), ann);
  bench.all.restart_node({"logins.provider_config=" + (bench.users.path() / "providers.yaml").string(),
                          "logins.provider_folder=" + bench.users.path().string()});
  bench.all.await_joined();
  CHECK(
      eventually([&] { return bench.pull(image).exit_code == 0; }));  // the refusal still counts for a while
}

TEST_CASE("a login of a request that the registry refused does not stand before the node's own") {
  if (!cluster::possible()) return;
  private_bench bench;
  const auto image = bench.push("app");
  bench.all.restart_node({"logins.docker_config=" + bench.users.authfile(bench.registry.host(), ann)});
  bench.all.await_joined();
  check_denied(bench.pull_as(image, bob));
  check_good(bench.pull(image));
}

TEST_CASE("what has begun to arrive goes on when the node has started anew, without the login it had") {
  if (!cluster::possible()) return;
  private_bench bench;
  const auto image = bench.push("app");
  bench.all.link().rate(500'000);
  check_good(
      bench.pull(image, {"--mountable", "--authfile", bench.users.authfile(bench.registry.host(), ann)}));
  // A tree alone is known after a restart only to the mounts that have it.
  REQUIRE(eventually([&] { return bench.all.node_status()["deliveries"][0]["bytes_stored"] > 0; }));
  bench.all.kill_node();
  bench.all.start_node();
  bench.all.await_joined();
  bench.all.link().rate(0);
  check_complete(bench.all, image);
}

TEST_CASE("a node cannot make the hub read files of its machine") {
  if (!cluster::possible()) return;
  private_bench bench;
  const auto layout = make_streamed_image(bench.all.folder() / "local", {.files = 1}).layout.string();
  const auto refused = bench.pull("oci:" + layout);
  CHECK(refused.exit_code == denied);
  CHECK(refused.errors.find("firstlight image add") != std::string::npos);
  check_good(bench.all.on_hub({"image", "add", "oci:" + layout}));
  check_good(bench.pull("oci:" + layout));
}

TEST_CASE("pull secrets of Kubernetes reach the hub by the node's image service") {
  if (!cluster::possible()) return;
  cluster all(
      {.hub = private_bench::with_no_logins({}), .node = private_bench::with_no_logins({}, "logins.")});
  containerd_daemon engine(all, cri_plugin::on, {ann});
  const auto image =
      engine.push(make_streamed_image(all.folder() / "app", {.files = 4}).layout, "team/app:1");
  const auto kubelet = engine.cri_by_node();
  const auto refused = kubelet->pull(image);
  INFO(refused.errors);
  CHECK_FALSE(refused.good);
  CHECK_FALSE(kubelet->pull(image, cri_login{bob.name, bob.password}).good);
  CHECK(all.hub_status()["images"] == 0);
  const auto pulled = kubelet->pull(image, cri_login{ann.name, ann.password});
  INFO(pulled.errors);
  REQUIRE(pulled.good);
  CHECK(kubelet->has_image(image));
  CHECK(kubelet->images() == std::vector<std::string>{image});
  CHECK(all.hub_status()["images"] == 1);
  const auto snapshots = all.node_status()["snapshots"];
  INFO(snapshots.dump());
  CHECK(snapshots["prepared"] == 1);
  CHECK(snapshots["fallbacks"] == 0);
  CHECK(private_bench::files_with_secrets(all.folder() / "hub").empty());
  CHECK(kubelet->remove_image(image).good);
}

}  // namespace firstlight
