#include "fuse_bridge/hybrid/tree_mounts.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "fuse_bridge/kernel_mount.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

tree_mount::~tree_mount() {
  if (auto gone = unmount(point_, busy_mount::detach); !gone)
    spdlog::warn("a mount stays behind until the next start: {}", gone.error().detail);
  std::error_code ignored;  // somebody looks into it: the next start removes it
  std::filesystem::remove(point_, ignored);
}

result<std::shared_ptr<const tree_mount>> tree_mounts::get(const std::shared_ptr<const toc_view>& toc,
                                                           const toc_id& id) {
  if (auto known = known_[id].lock()) return known;
  const auto image = erofs_image::plan(toc, id, limits_);
  if (!image) return tl::unexpected(image.error());
  if (image->xattrs_left_out() > 0)
    spdlog::debug("{} extended attributes are of kinds that Linux shows on no file",
                  image->xattrs_left_out());
  for (const auto& folder : {points_, files_})
    if (auto made = make_folders(folder); !made) return tl::unexpected(made.error());
  const auto name = std::to_string(++next_);
  const auto point = points_ / name;
  if (auto made = make_folders(point); !made) return tl::unexpected(made.error());
  auto mount = std::make_shared<const tree_mount>(point);
  if (auto done = write_and_mount(*image, files_ / name, point); !done) return tl::unexpected(done.error());
  known_[id] = mount;
  return mount;
}

result<void> tree_mounts::write_and_mount(const erofs_image& image, const std::filesystem::path& file,
                                          const std::filesystem::path& point) const {
  ::unlink(file.c_str());  // left by a process that was killed right here
  const auto opened = open_at(AT_FDCWD, file, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!opened) return tl::unexpected(opened.error());
  auto done = image.write(opened->get());
  if (done) done = mount_erofs(file, point);
  ::unlink(file.c_str());
  return done;
}

}  // namespace firstlight
