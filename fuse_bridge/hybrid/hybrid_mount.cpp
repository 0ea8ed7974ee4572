#include "fuse_bridge/hybrid/hybrid_mount.hpp"

#include <spdlog/spdlog.h>

#include "fuse_bridge/kernel_mount.hpp"
#include "fuse_bridge/mount_table.hpp"
#include "storage/file_io.hpp"

namespace firstlight {

result<std::unique_ptr<hybrid_mount>> hybrid_mount::make(std::shared_ptr<content_mount> contents,
                                                         std::shared_ptr<tree_mount> tree,
                                                         hybrid_place place) {
  std::unique_ptr<hybrid_mount> made(new hybrid_mount(std::move(contents), std::move(place)));
  if (auto done = made->assemble(std::move(tree)); !done) return tl::unexpected(done.error());
  return made;
}

std::unique_ptr<hybrid_mount> hybrid_mount::take_over(std::shared_ptr<content_mount> contents,
                                                      hybrid_place place) {
  std::unique_ptr<hybrid_mount> made(new hybrid_mount(std::move(contents), std::move(place)));
  made->folder_made_ = made->target_mounted_ = true;
  return made;
}

result<void> hybrid_mount::assemble(std::shared_ptr<tree_mount> tree) {
  if (auto made = make_private_folder(place_.private_folder, place_.target); !made) return made;
  folder_made_ = true;
  tree_ = std::move(tree);
  if (auto shown = show(); !shown) return shown;
  target_mounted_ = true;
  // It means nothing after a restart of the machine, so it need not be durable.
  return write_file(record_file(place_.private_folder), place_.record.bytes);
}

result<void> hybrid_mount::show() {
  if (!place_.for_overlays)
    return mount_overlay({tree_->point(), {place_.store, contents_->point()}}, place_.writable,
                         place_.target);
  // What a killed process has left there is of no use.
  return unmount(place_.target, busy_mount::detach).and_then([&] {
    return bind_mount(tree_->point(), place_.target);
  });
}

void hybrid_mount::learn() {
  if (tree_ == nullptr) return;  // taken over: an earlier process has seen to it
  if (const auto learnt = tree_->learn(); !learnt)
    spdlog::warn("{} goes on reading through FUSE: {}", place_.target.string(), to_string(learnt.error()));
}

result<void> hybrid_mount::watch(unmount_watch& watch, std::function<void()> gone) {
  return watch.watch(place_.target, [gone = std::move(gone), flag = gone_] {
    flag->store(true);
    gone();
  });
}

result<void> hybrid_mount::take_down(busy_mount when_busy) {
  if (target_mounted_ && !*gone_)
    if (auto done = unmount(place_.target, when_busy); !done) return done;
  target_mounted_ = left_ = false;
  // The file system ends with the last overlay above it, unless this holds it too.
  if (place_.for_overlays) tree_.reset();
  return {};
}

bool hybrid_mount::leave_if_used() {
  // A container with a mount namespace of its own does not make the target busy.
  const bool known_in_use = place_.for_overlays || is_seen_elsewhere(place_.target);
  if (known_in_use && target_mounted_ && !*gone_) {
    left_ = true;
    contents_->leave_behind();
    return true;
  }
  const auto gone = take_down(busy_mount::refuse);
  left_ = !gone && gone.error().code == errc::busy;
  if (left_) contents_->leave_behind();
  return left_;
}

hybrid_mount::~hybrid_mount() {
  if (left_) return;
  if (auto gone = take_down(busy_mount::detach); !gone)
    spdlog::warn("a mount stays behind until the next start: {}", gone.error().detail);
  if (member_) contents_->leave(member_);
  if (!folder_made_) return;
  std::error_code problem;
  std::filesystem::remove(record_file(place_.private_folder), problem);
  if (!problem) std::filesystem::remove(place_.private_folder, problem);
  if (problem) spdlog::warn("remove {}: {}", place_.private_folder.string(), problem.message());
}

}  // namespace firstlight
