#include "fuse_bridge/hybrid/tree_mounts.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "fuse_bridge/kernel_mount.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

result<std::shared_ptr<tree_mount>> tree_mount::make(erofs_image image, std::shared_ptr<const toc_view> toc,
                                                     const std::filesystem::path& file,
                                                     const std::filesystem::path& point) {
  std::shared_ptr<tree_mount> made(new tree_mount(std::move(image), std::move(toc)));
  ::unlink(file.c_str());  // left by a process that was killed right here
  auto opened = open_at(AT_FDCWD, file, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!opened) return tl::unexpected(opened.error());
  const bool known = made->toc_->contents_known();
  auto done = made->image_->write(opened->get(), erofs_image::unknown_ids::early);
  if (done) done = mount_erofs(file, point);
  ::unlink(file.c_str());
  if (!done) return tl::unexpected(done.error());
  made->point_ = point;
  if (known)
    made->image_.reset();
  else
    made->file_ = std::move(*opened);
  return made;
}

result<void> tree_mount::learn() {
  const std::lock_guard lock(mutex_);
  if (!image_) return {};
  auto written = image_->write(file_.get());
  image_.reset();
  file_ = {};
  return written;
}

tree_mount::~tree_mount() {
  if (point_.empty()) return;
  if (auto gone = unmount(point_, busy_mount::detach); !gone)
    spdlog::warn("a mount stays behind until the next start: {}", gone.error().detail);
  std::error_code ignored;  // somebody looks into it: the next start removes it
  std::filesystem::remove(point_, ignored);
}

result<std::shared_ptr<tree_mount>> tree_mounts::get(const std::shared_ptr<const toc_view>& toc,
                                                     const toc_id& id) {
  std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
  if (const auto known = known_.find(id); known != known_.end())
    if (auto shared = known->second.lock()) return shared;
  auto image = plans_->take(toc, id);
  if (!image) return tl::unexpected(image.error());
  if (image->xattrs_left_out() > 0)
    spdlog::debug("{} extended attributes are of kinds that Linux shows on no file",
                  image->xattrs_left_out());
  const auto name = std::to_string(++next_);
  const auto point = points_ / name;
  for (const auto& folder : {point, files_})
    if (auto made = make_folders(folder); !made) return tl::unexpected(made.error());
  auto mount = tree_mount::make(std::move(*image), toc, files_ / name, point);
  std::error_code ignored;  // an empty folder harms nobody
  if (mount)
    known_[id] = *mount;
  else
    std::filesystem::remove(point, ignored);
  return mount;
}

}  // namespace firstlight
