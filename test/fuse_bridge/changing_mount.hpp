#pragma once
#include "fuse_bridge/writable/writable_session.hpp"
#include "test/fuse_bridge/whole_contents.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {

/// Two names of one file, and a folder.
inline image_builder::built small_image() {
  image_builder image;
  image.file("one", "1");
  image.hard_link("two", "one");
  image.file("folder/other", "2");
  return image.build();
}

/// A writable mount of the small image, for processes one after the other.
struct changing_mount {
  [[nodiscard]] std::shared_ptr<writable_tree> tree(session_life life) const {
    return *writable_tree::open(image.toc, 7, store, {folder.path() / "upper", folder.path() / "work"},
                                1U << 20U, life);
  }
  [[nodiscard]] std::unique_ptr<session_core> core(session_life life) const {
    session_parts parts;
    parts.image = {image.toc, counters};
    parts.reads = {&store, std::make_shared<parked_reads>(16)};
    parts.on_park = [](const park_read&) {};
    parts.on_interrupt = [](waiter_id) {};
    parts.on_end = [] {};
    parts.limits.loop_threads = loop_threads;
    parts.limits.passthrough = passthrough;
    if (counts_opens) parts.opens = opens();
    return std::make_unique<writable_session>(std::move(parts), tree(life));
  }

  /// The table of open files.
  [[nodiscard]] std::filesystem::path opens() const { return folder.path() / "open-files"; }

  std::uint32_t loop_threads = 1;
  bool passthrough = true;    ///< by setting
  bool counts_opens = false;  ///< without a table of open files there is none
  std::shared_ptr<session_counters> counters = std::make_shared<session_counters>();
  temporary_folder folder{};
  image_builder::built image = small_image();
  whole_contents store{folder.path() / "store", image};
};

}  // namespace firstlight
