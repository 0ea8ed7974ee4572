#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "apps/exit_code.hpp"
#include "apps/version.hpp"
#include "test/harness/cluster/program.hpp"
#include "test/harness/temporary_folder.hpp"

/// The manifests of packaging/kubernetes fit together, as far as that shows without a cluster.
namespace firstlight {
namespace {

namespace fs = std::filesystem;
using texts = std::vector<std::string>;

const fs::path manifests = "packaging/kubernetes";

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string text(const YAML::Node& node) {
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : std::string();
}

texts list(const YAML::Node& node) {
  texts all;
  for (const auto& one : node) all.push_back(one.as<std::string>());
  return all;
}

YAML::Node kustomization() {
  return YAML::LoadFile((manifests / "kustomization.yaml").string());
}

/// All objects of the files that the kustomization names.
std::vector<YAML::Node> objects() {
  std::vector<YAML::Node> all;
  const auto root = kustomization();
  for (const auto& file : list(root["resources"]))
    for (const auto& one : YAML::LoadAllFromFile((manifests / file).string())) all.push_back(one);
  return all;
}

std::vector<YAML::Node> workloads() {
  auto all = objects();
  std::erase_if(all, [](const YAML::Node& one) {
    return text(one["kind"]) != "Deployment" && text(one["kind"]) != "DaemonSet";
  });
  return all;
}

/// What each ConfigMap and Secret of the kustomization holds: file name by key.
std::map<std::string, std::map<std::string, std::string>> generated() {
  std::map<std::string, std::map<std::string, std::string>> all;
  const auto root = kustomization();
  for (const auto* generator : {"configMapGenerator", "secretGenerator"})
    for (const auto& one : root[generator])
      for (const auto& file : list(one["files"])) {
        const auto equals = file.find('=');
        const auto key =
            equals == std::string::npos ? fs::path(file).filename().string() : file.substr(0, equals);
        all[text(one["name"])][key] = equals == std::string::npos ? file : file.substr(equals + 1);
      }
  return all;
}

std::set<std::string> names_of(const std::string& kind) {
  std::set<std::string> names;
  for (const auto& one : objects())
    if (text(one["kind"]) == kind) names.insert(text(one["metadata"]["name"]));
  return names;
}

bool is_subset(const YAML::Node& of, const YAML::Node& all) {
  return of.IsMap() && of.size() > 0 && std::all_of(of.begin(), of.end(), [&](const auto& pair) {
           return text(all[pair.first.template as<std::string>()]) == pair.second.template as<std::string>();
         });
}

struct said {
  int exit_code = -1;
  std::string errors;
};

said run(texts arguments) {
  const temporary_folder folder;
  arguments.insert(arguments.begin(), FIRSTLIGHT_PROGRAM);
  running_program program(arguments, folder.path() / "log");
  const auto end = program.wait(std::chrono::minutes(1));
  REQUIRE(end.has_value());
  return {end->exit_code, program.errors()};
}

std::string with_node_name(std::string argument) {
  const std::string variable = "$(NODE_NAME)";
  if (const auto at = argument.find(variable); at != std::string::npos)
    argument.replace(at, variable.size(), "worker-1");
  return argument;
}

/// Where in the container's mounts `path` is: the volume's name, or empty.
std::string volume_of(const YAML::Node& container, const std::string& path) {
  for (const auto& mount : container["volumeMounts"]) {
    const auto at = text(mount["mountPath"]);
    if (path == at || path.starts_with(at + "/")) return text(mount["name"]);
  }
  return {};
}

/// The text of a setting in a JSON file; empty if there is none.
std::string setting_in(const std::string& json, const std::string& key) {
  const auto before = "\"" + key + "\": \"";
  const auto at = json.find(before);
  if (at == std::string::npos) return {};
  const auto begin = at + before.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

YAML::Node volume_called(const YAML::Node& pod, const std::string& name) {
  for (const auto& one : pod["volumes"])
    if (text(one["name"]) == name) return one;
  return YAML::Node(YAML::NodeType::Undefined);
}

/// A workload to whose lists a component of the kustomization adds.
YAML::Node patched(const YAML::Node& workload, const fs::path& component) {
  auto made = YAML::Clone(workload);
  const auto patches = YAML::LoadFile((manifests / component / "kustomization.yaml").string())["patches"];
  for (const auto& patch : patches) {
    REQUIRE(text(patch["target"]["kind"]) == text(workload["kind"]));
    REQUIRE(text(patch["target"]["name"]) == text(workload["metadata"]["name"]));
    for (const auto& step : YAML::Load(text(patch["patch"]))) {
      REQUIRE(text(step["op"]) == "add");
      std::istringstream path(text(step["path"]).substr(1));
      YAML::Node at = made;
      for (std::string part; std::getline(path, part, '/') && part != "-";)
        at.reset(part == "0" ? at[0] : at[part]);
      REQUIRE(at.IsSequence());
      at.push_back(step["value"]);
    }
  }
  return made;
}

YAML::Node daemon_set() {
  for (const auto& one : workloads())
    if (text(one["kind"]) == "DaemonSet") return one;
  return YAML::Node(YAML::NodeType::Undefined);
}

std::string source_of(const YAML::Node& pod, const std::string& volume) {
  for (const auto& one : pod["volumes"]) {
    if (text(one["name"]) != volume) continue;
    if (one["secret"].IsDefined()) return text(one["secret"]["secretName"]);
    if (one["configMap"].IsDefined()) return text(one["configMap"]["name"]);
  }
  return {};
}

}  // namespace

TEST_CASE("every manifest is named by the kustomization, and every object has a kind and a name") {
  const auto root = kustomization();
  std::set<std::string> named{"kustomization.yaml"};
  for (const auto& file : list(root["resources"])) named.insert(file);
  std::set<std::string> present;
  for (const auto& entry : fs::directory_iterator(manifests))
    if (entry.path().extension() == ".yaml") present.insert(entry.path().filename().string());
  CHECK(named == present);
  CHECK(names_of("Namespace") == std::set<std::string>{text(root["namespace"])});
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& one : objects()) {
    CHECK_FALSE(text(one["apiVersion"]).empty());
    CHECK_FALSE(text(one["metadata"]["name"]).empty());
    CHECK(seen.emplace(text(one["kind"]), text(one["metadata"]["name"])).second);
  }
  for (const auto* kind : {"Deployment", "DaemonSet", "Service", "PersistentVolumeClaim", "RuntimeClass"})
    CHECK(names_of(kind).size() == 1);
}

TEST_CASE("pods mount what exists, where their containers say, and selectors find them") {
  for (const auto& one : workloads()) {
    INFO(text(one["metadata"]["name"]));
    const auto pod = one["spec"]["template"]["spec"];
    CHECK(names_of("ServiceAccount").count(text(pod["serviceAccountName"])) == 1);
    CHECK(is_subset(one["spec"]["selector"]["matchLabels"], one["spec"]["template"]["metadata"]["labels"]));
    std::set<std::string> volumes;
    const auto made = generated();
    for (const auto& volume : pod["volumes"]) {
      volumes.insert(text(volume["name"]));
      INFO(text(volume["name"]));
      const auto secret = volume["secret"];
      if (secret.IsDefined() && text(secret["optional"]) != "true")
        CHECK(made.count(text(secret["secretName"])) == 1);
      if (volume["configMap"].IsDefined()) CHECK(made.count(text(volume["configMap"]["name"])) == 1);
      if (const auto claim = volume["persistentVolumeClaim"]; claim.IsDefined())
        CHECK(names_of("PersistentVolumeClaim").count(text(claim["claimName"])) == 1);
    }
    for (const auto& container : pod["containers"]) {
      std::set<std::string> mounted;
      for (const auto& mount : container["volumeMounts"]) {
        mounted.insert(text(mount["name"]));
        if (const auto file = text(mount["subPath"]); !file.empty())
          CHECK(made.at(source_of(pod, text(mount["name"]))).count(file) == 1);
      }
      CHECK(mounted == volumes);
    }
  }
}

TEST_CASE("files that the kustomization takes are there, but for those that pki makes") {
  for (const auto& [object, files] : generated())
    for (const auto& [key, file] : files) {
      INFO(object << " " << key);
      CHECK((file.starts_with("pki/") || fs::exists(manifests / file)));
    }
}

TEST_CASE("the service leads to the hub's port, where the node's settings look for it") {
  YAML::Node service;
  YAML::Node hub;
  for (const auto& one : objects()) {
    if (text(one["kind"]) == "Service") service.reset(one);
    if (text(one["kind"]) == "Deployment") hub.reset(one);
  }
  CHECK(is_subset(service["spec"]["selector"], hub["spec"]["template"]["metadata"]["labels"]));
  const auto port = hub["spec"]["template"]["spec"]["containers"][0]["ports"][0];
  CHECK(text(service["spec"]["ports"][0]["targetPort"]) == text(port["name"]));
  const auto address = text(service["metadata"]["name"]) + "." + text(kustomization()["namespace"]) +
                       ".svc:" + text(service["spec"]["ports"][0]["port"]);
  CHECK(text_of(manifests / "node.json").find("\"hub\": \"" + address + "\"") != std::string::npos);
  CHECK(text_of(manifests / "hub.json").find(":" + text(port["containerPort"]) + "\"") != std::string::npos);
}

TEST_CASE("the daemons accept the options and settings of their containers, and find their certificates") {
  for (const auto& one : workloads()) {
    const auto pod = one["spec"]["template"]["spec"];
    const auto container = pod["containers"][0];
    auto arguments = list(container["args"]);
    const auto role = arguments.front();
    const auto made = generated();
    const auto config = std::find(arguments.begin(), arguments.end(), "--config");
    REQUIRE(config != arguments.end());
    const auto file = *std::next(config);
    const auto in_map = made.at(source_of(pod, volume_of(container, file)));
    *std::next(config) = (manifests / in_map.at(fs::path(file).filename().string())).string();
    std::transform(arguments.begin(), arguments.end(), arguments.begin(), with_node_name);
    arguments.insert(arguments.begin(), "config");
    const auto end = run(arguments);
    INFO(role << ": " << end.errors);
    CHECK(end.exit_code == 0);

    texts named = arguments;
    const auto json = text_of(*std::next(std::find(arguments.begin(), arguments.end(), "--config")));
    for (const auto* key : {"ca", "certificate", "key"})
      if (const auto path = setting_in(json, key); !path.empty()) named.push_back("=" + path);
    std::size_t certificates = 0;
    for (const auto& argument : named) {
      const auto path = argument.substr(argument.find('=') + 1);
      if (!path.starts_with("/etc/firstlight/pki/")) continue;
      ++certificates;
      CHECK(made.at(source_of(pod, volume_of(container, path))).count(fs::path(path).filename().string()) ==
            1);
    }
    CHECK(certificates == 3);

    auto probe = list(container["readinessProbe"]["exec"]["command"]);
    CHECK(probe.front() == "firstlight");
    probe.erase(probe.begin());
    probe.insert(probe.end(), {"--socket", "/nonexistent/socket"});
    CHECK(run(probe).exit_code == static_cast<int>(exit_code::unavailable));
  }
}

TEST_CASE("what a node mounts is seen by the machine under the same path") {
  for (const auto& one : workloads()) {
    if (text(one["kind"]) != "DaemonSet") continue;
    const auto pod = one["spec"]["template"]["spec"];
    const auto container = pod["containers"][0];
    CHECK(text(container["securityContext"]["privileged"]) == "true");
    std::map<std::string, std::string> paths;
    for (const auto& volume : pod["volumes"])
      if (volume["hostPath"].IsDefined()) paths[text(volume["name"])] = text(volume["hostPath"]["path"]);
    CHECK(paths.size() == 3);
    for (const auto& mount : container["volumeMounts"])
      if (const auto host = paths.find(text(mount["name"])); host != paths.end())
        CHECK(text(mount["mountPath"]) == host->second);
    for (const auto* path : {"/var/lib/firstlight/node", "/run/firstlight"})
      for (const auto& mount : container["volumeMounts"])
        if (text(mount["name"]) == volume_of(container, path))
          CHECK(text(mount["mountPropagation"]) == "Bidirectional");
    CHECK(volume_of(container, "/run/containerd/containerd.sock") == "containerd");
  }
}

TEST_CASE("logins to registries come from optional secrets, where the daemons' settings look for them") {
  std::set<std::string> secrets;
  for (const auto& one : workloads()) {
    const auto pod = one["spec"]["template"]["spec"];
    const auto container = pod["containers"][0];
    const auto role = list(container["args"]).front();
    INFO(role);
    const fs::path file = setting_in(text_of(manifests / (role + ".json")), "docker_config");
    const auto secret = volume_called(pod, volume_of(container, file.string()))["secret"];
    REQUIRE(secret.IsDefined());
    CHECK(text(secret["optional"]) == "true");
    CHECK(text(secret["items"][0]["key"]) == ".dockerconfigjson");
    CHECK(text(secret["items"][0]["path"]) == file.filename().string());
    CHECK(text_of(manifests / "README.md").find("`" + text(secret["secretName"]) + "`") != std::string::npos);
    secrets.insert(text(secret["secretName"]));
  }
  CHECK(secrets.size() == 2);  // a node's login is not the hub's
}

TEST_CASE("the component for kubelet's credential providers gives the node settings and what they name") {
  const auto pod = patched(daemon_set(), "credential-providers")["spec"]["template"]["spec"];
  const auto container = pod["containers"][0];
  std::set<std::string> mounted;
  std::set<std::string> volumes;
  for (const auto& mount : container["volumeMounts"]) mounted.insert(text(mount["name"]));
  for (const auto& volume : pod["volumes"]) volumes.insert(text(volume["name"]));
  CHECK(mounted == volumes);

  auto arguments = list(container["args"]);
  std::size_t found = 0;
  for (const auto& argument : arguments) {
    if (!argument.starts_with("logins.provider_")) continue;
    ++found;
    const auto volume = volume_of(container, argument.substr(argument.find('=') + 1));
    CHECK_FALSE(text(volume_called(pod, volume)["hostPath"]["path"]).empty());
  }
  CHECK(found == 2);
  *std::next(std::find(arguments.begin(), arguments.end(), "--config")) = (manifests / "node.json").string();
  std::transform(arguments.begin(), arguments.end(), arguments.begin(), with_node_name);
  arguments.insert(arguments.begin(), "config");
  const auto end = run(arguments);
  INFO(end.errors);
  CHECK(end.exit_code == 0);
}

TEST_CASE("images have the version of the program") {
  const auto version = std::string(software_version());
  for (const auto& one : workloads())
    CHECK(text(one["spec"]["template"]["spec"]["containers"][0]["image"]) == "firstlight:" + version);
  const auto root = kustomization();
  CHECK(text(root["images"][0]["newTag"]) == version);
  for (const auto& file : {manifests / "README.md", fs::path("packaging/Containerfile")})
    CHECK(text_of(file).find("firstlight:" + version + " ") != std::string::npos);
}

TEST_CASE("the configs for containerd in the manual are TOML that install takes") {
  const temporary_folder folder;
  const auto manual = text_of(manifests / "README.md");
  std::size_t configs = 0;
  const std::string fence = "```toml\n";
  for (auto at = manual.find(fence); at != std::string::npos; at = manual.find(fence, at + 1)) {
    const auto begin = at + fence.size();
    const auto config = manual.substr(begin, manual.find("```", begin) - begin);
    const auto file = folder.path() / "config.toml";
    std::ofstream(file) << config;
    const auto end = run({"install", "containerd", "--config", file.string(), "--node-config",
                          (manifests / "node.json").string(), "--cri", "--write"});
    INFO(end.errors);
    CHECK(end.exit_code == 0);
    CHECK(config.find("runtimes.firstlight]") != std::string::npos);
    ++configs;
  }
  CHECK(configs == 2);
  CHECK(names_of("RuntimeClass") == std::set<std::string>{"firstlight"});
}

}  // namespace firstlight
