#include "model/snapshot_mounts.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

const snapshot_places hybrid{"/s", "/run/tree::/store/contents::/run/contents"};
const snapshot_places plain{"/s", "/run/merged"};

snapshot_record one(std::uint64_t id, snapshot_kind kind = snapshot_kind::committed) {
  return {.id = id, .name = std::to_string(id), .kind = kind};
}
snapshot_record remote(std::uint64_t id) {
  auto made = one(id);
  made.remote = remote_layers{"r", {}, "linux/amd64", 1, 1};
  return made;
}
const auto active = one(9, snapshot_kind::active);
const auto view = one(8, snapshot_kind::view);

}  // namespace

TEST_CASE("a snapshot without parents is its own folder") {
  CHECK(snapshot_mount(active, {}, plain) == mount_spec{"bind", "/s/9/fs", {"rw", "rbind"}});
  CHECK(snapshot_mount(view, {}, plain) == mount_spec{"bind", "/s/8/fs", {"ro", "rbind"}});
}

TEST_CASE("an active snapshot is an overlay above its parents") {
  CHECK(snapshot_mount(active, {one(2), one(1)}, plain) ==
        mount_spec{"overlay",
                   "overlay",
                   {"index=off", "workdir=/s/9/work", "upperdir=/s/9/fs", "lowerdir=/s/2/fs:/s/1/fs"}});
}

TEST_CASE("a view is its only parent, or a read-only overlay of several") {
  CHECK(snapshot_mount(view, {one(1)}, plain) == mount_spec{"bind", "/s/1/fs", {"ro", "rbind"}});
  CHECK(snapshot_mount(view, {one(2), one(1)}, plain) ==
        mount_spec{"overlay", "overlay", {"index=off", "lowerdir=/s/2/fs:/s/1/fs"}});
}

TEST_CASE("remote parents are one lower layer, whatever their number") {
  CHECK(snapshot_mount(active, {one(5), remote(4), remote(3)}, plain).options.back() ==
        "lowerdir=/s/5/fs:/run/merged");
  CHECK(snapshot_mount(view, {remote(4), remote(3)}, plain) ==
        mount_spec{"bind", "/run/merged", {"ro", "rbind"}});
}

TEST_CASE("what is unpacked below remote parents is in what they show") {
  CHECK(snapshot_mount(active, {one(5), remote(4), one(3), one(2)}, plain).options.back() ==
        "lowerdir=/s/5/fs:/run/merged");
  CHECK(snapshot_mount(view, {remote(4), one(3)}, plain) ==
        mount_spec{"bind", "/run/merged", {"ro", "rbind"}});
  CHECK(snapshot_mount(view, {one(3)}, plain) == mount_spec{"bind", "/s/3/fs", {"ro", "rbind"}});
}

TEST_CASE("a tree whose contents lie elsewhere needs overlayfs and its options, also for a view") {
  CHECK(snapshot_mount(active, {remote(4)}, hybrid) ==
        mount_spec{"overlay",
                   "overlay",
                   {"index=off", "metacopy=on", "redirect_dir=on", "workdir=/s/9/work", "upperdir=/s/9/fs",
                    "lowerdir=/run/tree::/store/contents::/run/contents"}});
  CHECK(snapshot_mount(view, {remote(4)}, hybrid) ==
        mount_spec{"overlay",
                   "overlay",
                   {"index=off", "metacopy=on", "redirect_dir=follow",
                    "lowerdir=/run/tree::/store/contents::/run/contents"}});
}

TEST_CASE("what is written above an image in one mode of mounting can be mounted in every other") {
  const auto options_above = [](const snapshot_record& snapshot, const snapshot_places& places) {
    auto all = snapshot_mount(snapshot, {one(5), remote(4)}, places).options;
    all.pop_back();  // where the lower layers lie
    return all;
  };
  for (const auto& snapshot : {active, view})
    CHECK(options_above(snapshot, plain) == options_above(snapshot, hybrid));
  CHECK(options_above(active, plain) == std::vector<std::string>{"index=off", "metacopy=on",
                                                                 "redirect_dir=on", "workdir=/s/9/work",
                                                                 "upperdir=/s/9/fs"});
  CHECK(options_above(view, plain) ==
        std::vector<std::string>{"index=off", "metacopy=on", "redirect_dir=follow"});
}

TEST_CASE("the options of a mount are counted as containerd shortens them") {
  const auto one_lower = snapshot_mount(active, {one(1)}, plain);
  CHECK(mount_option_bytes(one_lower) ==
        std::string("index=off,workdir=/s/9/work,upperdir=/s/9/fs,lowerdir=/s/1/fs").size());
  CHECK(mount_option_bytes(snapshot_mount(active, {one(12), one(1)}, plain)) ==
        std::string("index=off,workdir=/s/9/work,upperdir=/s/9/fs,lowerdir=12/fs:1/fs").size());
  // Folders that have nothing in common, or contents elsewhere, are not shortened.
  CHECK(mount_option_bytes(snapshot_mount(view, {one(2), remote(1)}, plain)) ==
        std::string("index=off,metacopy=on,redirect_dir=follow,lowerdir=/s/2/fs:/run/merged").size());
  CHECK(mount_option_bytes(snapshot_mount(view, {one(2), remote(1)}, hybrid)) ==
        std::string("index=off,metacopy=on,redirect_dir=follow,lowerdir=/s/2/fs:" + hybrid.remote_lower)
            .size());
  CHECK(mount_option_bytes(snapshot_mount(view, {one(1)}, plain)) == std::string("ro,rbind").size());
}

TEST_CASE("one page of mount options takes a whole chain of unpacked layers, or many above an image") {
  const std::string store = "/var/lib/firstlight";
  const auto bytes = [&](std::size_t unpacked, const std::string& image) {
    std::vector<snapshot_record> parents;
    for (std::size_t i = 0; i < unpacked; ++i) parents.push_back(one(1'000'000 + i));
    if (!image.empty()) parents.push_back(remote(1));
    return mount_option_bytes(
        snapshot_mount(one(2'000'000, snapshot_kind::active), parents, {store + "/snapshots", image}));
  };
  const auto image = "/run/firstlight/images/containerd-" + std::string(32, 'f') + "-1::" + store +
                     "/contents::/run/firstlight/contents";
  CHECK(bytes(199, "") <= 4095);
  CHECK(bytes(90, image) <= 4095);
  CHECK(bytes(100, image) > 4095);
}
