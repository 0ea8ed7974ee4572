#pragma once
#include <ostream>

#include "test/fuse_bridge/mounted_image.hpp"

/// What tests share in which several processes use one mount.
namespace firstlight {

/// What each process does so often.
inline constexpr int rounds = 300;
inline constexpr int files = 8;
inline constexpr std::size_t file_bytes = 3 * default_block_bytes + 11;

/// In the folders d0 and d1 by turns, each with another name in the root.
inline image_builder image_of_files() {
  image_builder image;
  for (int i = 0; i < files; ++i) {
    const auto name = "d" + std::to_string(i % 2) + "/f" + std::to_string(i);
    image.file(name, patterned_bytes(file_bytes, static_cast<std::uint32_t>(i)));
    image.hard_link("link" + std::to_string(i), name);
  }
  return image;
}

/// How the image is mounted.
struct mounted_way {
  mount_mode mode;
  std::uint32_t loop_threads;
  std::uint32_t copied_at_once_bytes_max = fuse_limits{}.copied_at_once_bytes_max;

  [[nodiscard]] fuse_limits limits() const {
    fuse_limits limits;
    limits.loop_threads = loop_threads;
    limits.copied_at_once_bytes_max = copied_at_once_bytes_max;
    return limits;
  }
};
inline std::ostream& operator<<(std::ostream& out, const mounted_way& way) {
  return out << to_string(way.mode) << " with " << way.loop_threads << " threads of a session, "
             << way.copied_at_once_bytes_max << " bytes copied at once";
}

inline mounted_way any_way() {
  return GENERATE(values<mounted_way>({{mount_mode::hybrid, 1},
                                       {mount_mode::overlay, 1},
                                       {mount_mode::overlay, 4},
                                       {mount_mode::fuse, 1},
                                       {mount_mode::fuse, 4}}));
}

/// Writable, and what is asked for arrives.
class arriving_image : public mounted_image {
 public:
  explicit arriving_image(const mounted_way& way)
      : mounted_image(image_of_files(), view::writable, way.limits(), way.mode) {
    source.on_want(fake_source::answer::deliver);
  }
};

}  // namespace firstlight
