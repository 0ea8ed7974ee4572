#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/layer_entry.hpp"
#include "model/overlay_merge.hpp"

namespace firstlight::detail {

/// A file system in memory that layers are applied to: inodes by number, directories by name. Numbers are
/// never used again; inodes that no name reaches stay until the end.
class merge_tree {
 public:
  using number = std::uint32_t;
  static constexpr number root = 0;

  struct entry {
    number inode = 0;
    std::uint32_t layer = 0;  ///< the layer that made it, or something below it, last
  };
  using directory = std::map<std::string, entry, std::less<>>;
  struct node {
    image_inode inode;
    std::optional<content_info> content;
    directory entries;           ///< directories only
    number parent = root;        ///< directories only
    std::string name_in_parent;  ///< directories only
  };

  explicit merge_tree(merge_limits limits);

  [[nodiscard]] node& at(number inode) { return nodes_[inode]; }
  [[nodiscard]] bool is(number inode, file_type type) const { return nodes_[inode].inode.type == type; }
  [[nodiscard]] const merge_limits& limits() const { return limits_; }

  /// Nothing if there is no such name, or `parent` is no directory.
  [[nodiscard]] std::optional<number> find(number parent, std::string_view name) const;

  /// Puts a new inode under a name that is free. Errors: `limit_exceeded`.
  result<number> make(number parent, std::string_view name, image_inode inode, std::uint32_t layer);
  /// Gives a file a further name, which is free. Errors: `limit_exceeded`.
  result<void> link(number parent, std::string_view name, number inode, std::uint32_t layer);

  /// Takes a name away, with all below it.
  void erase(number parent, std::string_view name);

  /// Takes away all below `of` that `layer` has not made.
  void erase_lower(number of, std::uint32_t layer);

  /// Marks `name` in `parent`, and the directories above, as made by `layer`.
  void mark(number parent, std::string_view name, std::uint32_t layer);

  /// Gives the tree out in its final order.
  [[nodiscard]] image_tree take();

 private:
  result<void> check_name(std::string_view name) const;

  merge_limits limits_;
  std::vector<node> nodes_;
};

}  // namespace firstlight::detail
