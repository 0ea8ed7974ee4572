#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "fuse_bridge/read_path.hpp"
#include "storage/early_name.hpp"

namespace firstlight {

/// One mounted image, as the node's content mount knows it.
struct content_member {
  toc_id toc;
  read_source image;
  park_listener on_park;  ///< tells the image's instance; called on FUSE threads
  /// Its instance has failed, the mount stays: what has arrived is read, nothing more is waited for.
  std::shared_ptr<std::atomic<bool>> given_up = std::make_shared<std::atomic<bool>>(false);
};

/// CONTENT DIRECTORY: which contents the images mounted in mode `hybrid` have, each found by its name or by
/// the number that the kernel knows it by. All members from any thread.
class content_directory {
 public:
  /// A content as one of the images has it.
  struct found {
    std::shared_ptr<const content_member> member;
    std::uint32_t content = 0;  ///< number in the member's TOC
    inode_number inode = 0;     ///< the first of the TOC's files with this content
    std::uint64_t size = 0;     ///< bytes
    std::uint64_t node = 0;     ///< by which `find_node` finds it
    read_notes notes{};         ///< which starts note a read of it
  };

  /// From now on its contents can be found: by early names (storage/early_name.hpp), and by their ids if
  /// those are known. Linear in their number, once for each TOC. The caller leaves with what it gave. Errors:
  /// `busy` if the early names of another image are the same, which takes a billion images.
  result<void> join(std::shared_ptr<const content_member> member);
  /// The contents of its TOC have become known.
  void learn(const content_member* member);
  void leave(const content_member* member);

  /// Whether an image with this TOC is here.
  [[nodiscard]] bool has(const toc_id& toc) const;

  /// In the image that joined first of those that have it; of a start that is recorded, if there is one; of
  /// one that was given up only if there is no other. Of all that are recorded the notes tell.
  [[nodiscard]] std::optional<found> find(const looked_up_name& name) const;
  [[nodiscard]] std::optional<found> find_node(std::uint64_t node) const;

 private:
  class toc_contents;
  class holders;
  struct entry {
    std::shared_ptr<const content_member> member;
    std::shared_ptr<const toc_contents> contents;
  };
  template <class Look>
  std::optional<found> first_of(Look look) const;
  [[nodiscard]] std::optional<found> find_early(const early_content& content) const;

  mutable std::shared_mutex mutex_;
  std::vector<entry> entries_;
};

}  // namespace firstlight
