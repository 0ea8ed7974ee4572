#pragma once
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "storage/chain_ids.hpp"
#include "storage/sha256.hpp"
#include "test/containerd/snapshots_bench.hpp"
#include "test/harness/eventually.hpp"
#include "test/harness/skipped.hpp"

namespace firstlight {

using code = grpc::StatusCode;

inline digest id(std::string_view text) {
  return sha256(std::as_bytes(std::span(text)));
}

inline const digest manifest = id("manifest");
inline const std::string pinned = "docker.io/library/redis@" + manifest.oci();

inline std::map<std::string, std::string> of_layer(const digest& target,
                                                   const std::string& image = "redis:7") {
  return {{"containerd.io/snapshot.ref", target.oci()},
          {"containerd.io/snapshot/cri.image-ref", image},
          {"containerd.io/snapshot/cri.manifest-digest", manifest.oci()}};
}

/// A node whose hub knows one image of two layers and one file, whatever it is asked for.
struct remote_bench {
  digest image = manifest;
  std::vector<digest> layers{id("layer 1"), id("layer 2")};
  std::vector<digest> chain = chain_ids(layers);
  content_info file{.id = {id("bytes")}, .size = 5};
  std::shared_ptr<fake_root> root = std::make_shared<fake_root>();
  std::vector<admin_mount> mounted;  ///< guarded by the root's mutex
  snapshots_bench bench{root};
  std::atomic<bool> hub_answers{true};
  std::atomic<bool> may_forget{true};

  remote_bench() {
    root->answers = [this](const admin_request& request) { return answer(request); };
    root->forgets = [this](const std::string& reference) -> result<void> {
      if (!may_forget) return fail(errc::busy, "images are arriving");
      return bench.catalogue().remove(reference, "linux/amd64");
    };
  }

  std::optional<result<admin_reply>> answer(const admin_request& request) {
    if (const auto* pull = std::get_if<admin_pull>(&request)) {
      if (!hub_answers) return std::nullopt;
      return keep(*pull);
    }
    if (const auto* mount = std::get_if<admin_mount_request>(&request)) return show(*mount);
    if (const auto* umount = std::get_if<admin_umount>(&request)) {
      std::erase_if(mounted, [&](const admin_mount& one) { return one.name == umount->mount; });
      umount2((bench.folder() / "run/images" / umount->mount).c_str(), MNT_DETACH);
      return admin_reply(admin_done{});
    }
    return admin_reply(admin_listing{{}, mounted});
  }

  /// What a pull leaves in the catalogue.
  result<admin_reply> keep(const admin_pull& pull) {
    if (pull.for_containerd)
      if (auto held = bench.catalogue().hold_for_containerd({pull.reference, pull.platform}); !held)
        return tl::unexpected(held.error());
    const std::string config =
        R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")" + layers[0].oci() +
        R"(",")" + layers[1].oci() + R"("]}})";
    const image_tree tree{
        .inodes = {{.type = file_type::directory, .permissions = 0755, .links = 2, .size = 4096},
                   {.permissions = 0644, .size = file.size, .content = 0}},
        .directories = {{.entries = {{.name = "file", .inode = 1}}}},
        .contents = {file}};
    const auto toc = make_toc({.manifest_digest = image, .config_json = config}, tree);
    if (!toc) return tl::unexpected(toc.error());
    if (auto stored = bench.catalogue().store_toc(*toc); !stored) return tl::unexpected(stored.error());
    image_record record{.reference = pull.reference, .platform = pull.platform, .source = pull.reference};
    record.toc = toc->id;
    record.manifest_digest = image;
    if (auto put = bench.catalogue().put(record); !put) return tl::unexpected(put.error());
    return admin_reply(admin_pulled{.image = {.reference = pull.reference, .platform = pull.platform}});
  }

  /// A mount that is none of FUSE, but one.
  result<admin_reply> show(const admin_mount_request& asked) {
    std::filesystem::create_directories(asked.target);
    if (mount("image", asked.target.c_str(), "tmpfs", 0, nullptr) != 0) return fail(errc::io, "tmpfs");
    std::ofstream(asked.target + "/of-the-image") << asked.reference;
    mounted.push_back({.name = asked.name, .target = asked.target, .lower = asked.target});
    return admin_reply(admin_mounted{.mount = mounted.back()});
  }

  std::size_t pulls() { return root->count(admin_request(admin_pull{}).index()); }
  std::size_t mounts() { return root->count(admin_request(admin_mount_request{}).index()); }
  std::size_t umounts() { return root->count(admin_request(admin_umount{}).index()); }
  /// How often the root was asked to forget an image.
  std::size_t tries() {
    const std::lock_guard lock(root->mutex);
    return root->to_forget.size();
  }
  bool image_is_here() { return bench.catalogue().find(pinned, "linux/amd64").value().has_value(); }

  /// What the node has said of its snapshots when it has told of that many.
  admin_snapshots news(std::uint32_t count) {
    admin_snapshots said;
    CHECK(eventually([&] {
      const std::lock_guard lock(root->mutex);
      said = root->news;
      return said.count == count;
    }));
    return said;
  }

  /// As containerd looks for what it was told to exist.
  std::vector<std::string> found(const digest& target, const std::string& parent) {
    std::vector<std::string> names;
    const auto filter =
        R"(labels."containerd.io/snapshot.ref"==)" + target.oci() + R"(,kind==committed,parent==")" + parent;
    CHECK(bench.list({filter + "\""}, &names).ok());
    return names;
  }

  /// A layer that containerd has unpacked into a namespace of its own.
  std::string unpacked(const std::string& space, const digest& layer) {
    const auto name = space + "/1/" + layer.oci();
    REQUIRE(bench.prepare("making " + name).ok());
    REQUIRE(bench.commit(name, "making " + name).ok());
    return name;
  }

  /// Bytes and inodes.
  using usage = std::pair<std::int64_t, std::int64_t>;
  usage used(const std::string& name) {
    api::UsageResponse said;
    REQUIRE(bench.usage(name, &said).ok());
    return {said.size(), said.inodes()};
  }

  /// The image's file is here now.
  void arrive() {
    REQUIRE(bench.contents().write(file, 0, std::as_bytes(std::span(std::string_view("bytes")))));
  }

  void prepare_all() {
    CHECK(bench.prepare("extract-1", "", of_layer(chain[0])).error_code() == code::ALREADY_EXISTS);
    CHECK(bench.prepare("extract-2", chain[0].oci(), of_layer(chain[1])).error_code() ==
          code::ALREADY_EXISTS);
  }
  void remove_all() {
    REQUIRE(bench.remove(chain[1].oci()).ok());
    REQUIRE(bench.remove(chain[0].oci()).ok());
  }
};

inline bool may_mount() {
  const bool may = geteuid() == 0;
  if (!may) test::note_skipped("mounting needs root");
  return may;
}

}  // namespace firstlight
