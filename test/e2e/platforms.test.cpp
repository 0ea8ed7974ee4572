#include <algorithm>
#include <span>

#include "model/platform.hpp"
#include "storage/sha256.hpp"
#include "test/e2e/shell_image.hpp"
#include "test/harness/cluster/registry.hpp"

/// Images for several platforms under one name.
namespace firstlight {
namespace {

const std::string host = host_platform().architecture;
const std::string other = host == "amd64" ? "arm64" : "amd64";
constexpr const char* nobody = "linux/s390x";

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

/// A layout whose tag "latest" is an index of one image for each architecture, with a file that says which.
std::filesystem::path make_index(const std::filesystem::path& layout) {
  auto entries = nlohmann::json::array();
  for (const auto& architecture : {host, other}) {
    tar_builder tar;
    tar.folder("etc/").file("etc/architecture", architecture).file("etc/only-" + architecture, "");
    write_layout(layout, {tar.take()}, layer_packing::gzip, architecture);  // beside the blobs of the former
    auto entry = nlohmann::json::parse(text_of(layout / "index.json"))["manifests"][0];
    entry.erase("annotations");
    entry["platform"] = {{"os", "linux"}, {"architecture", architecture}};
    entries.push_back(entry);
  }
  const std::string type = "application/vnd.oci.image.index.v1+json";
  const auto index = nlohmann::json{{"schemaVersion", 2}, {"mediaType", type}, {"manifests", entries}}.dump();
  const auto id = sha256(std::as_bytes(std::span(index)));
  write_text(layout / "blobs" / "sha256" / id.hex(), index);
  const nlohmann::json top{{"mediaType", type},
                           {"digest", id.oci()},
                           {"size", index.size()},
                           {"annotations", {{"org.opencontainers.image.ref.name", "latest"}}}};
  write_text(layout / "index.json",
             nlohmann::json{{"schemaVersion", 2}, {"manifests", nlohmann::json::array({top})}}.dump());
  return layout;
}

/// The mounted tree is that of the architecture, and of no other.
void check_tree(const std::filesystem::path& tree, const std::string& architecture) {
  CHECK(text_of(tree / "etc/architecture") == architecture);
  CHECK(std::filesystem::exists(tree / "etc" / ("only-" + architecture)));
  CHECK_FALSE(std::filesystem::exists(tree / "etc" / ("only-" + (architecture == host ? other : host))));
}

/// One line, which names what there is.
void check_refused(const command_end& end) {
  INFO(end.errors);
  CHECK(end.exit_code != 0);
  CHECK(std::count(end.errors.begin(), end.errors.end(), '\n') == 1);
  CHECK(end.errors.find(std::string("no image for ") + nobody + "; there is linux/" + host + ", linux/" +
                        other) != std::string::npos);
}

std::filesystem::path mount_for(cluster& all, const std::string& reference, const std::string& architecture) {
  const auto target = all.folder() / "mounts" / architecture;
  check_good(all.on_node({"mount", reference, target.string(), "--name", architecture, "--read-only",
                          "--platform", "linux/" + architecture}));
  return target;
}

}  // namespace

TEST_CASE("a node gets of an index the image for the platform that it names, else that for its own") {
  if (!cluster::possible()) return;
  cluster all;
  registry_daemon registry(all);
  const auto reference = registry.push(make_index(all.folder() / "index"), "team/app:1");
  for (const auto& architecture : {other, host}) {
    const auto pulled = all.on_node({"pull", reference, "--platform", "linux/" + architecture});
    check_good(pulled);
    CHECK(pulled.reply["image"]["platform"] == "linux/" + architecture);
    check_tree(mount_for(all, reference, architecture), architecture);
  }
  const auto pulled = all.on_node({"pull", reference});
  check_good(pulled);
  CHECK(pulled.reply["image"]["platform"] == host_platform().text());
  check_tree(all.mount(reference, "default"), host);
  check_refused(all.on_node({"pull", reference, "--platform", nobody}));
  check_refused(all.on_node({"mount", reference, (all.folder() / "mounts" / "none").string(), "--read-only",
                             "--platform", nobody}));
}

TEST_CASE("an administrator adds the images of a layout's index by platform") {
  if (!cluster::possible()) return;
  cluster all;
  const auto layout = "oci:" + make_index(all.folder() / "index").string();
  const auto add = [&](const std::string& platform) {
    return all.on_hub({"image", "add", layout, "--name", "app:1", "--platform", platform});
  };
  check_refused(add(nobody));
  check_good(add("linux/" + other));
  check_good(add("linux/" + host));
  check_tree(mount_for(all, "app:1", other), other);
  check_tree(all.mount("app:1", "default"), host);
}

}  // namespace firstlight
