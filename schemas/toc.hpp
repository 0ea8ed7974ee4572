#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/bytes.hpp"
#include "model/columns.hpp"
#include "model/image_tree.hpp"

namespace firstlight {

/// What a TOC says beside the tree.
struct toc_header {
  std::uint32_t block_bytes = default_block_bytes;
  digest manifest_digest;
  std::string manifest_json;
  std::string config_json;
  std::uint64_t compressed_bytes = 0;  ///< of all layers, as the registry has them
  digest contents_digest;              ///< SHA-256 of what `encode_content_ids` gives
  friend bool operator==(const toc_header&, const toc_header&) = default;
};

/// Inode numbers count from 1, the root. They are stable: position in the TOC plus one.
using inode_number = std::uint32_t;
inline constexpr inode_number root_inode = 1;

/// The second part of a TOC: 32 bytes for each content, in the order of the tree's table.
[[nodiscard]] std::vector<std::byte> encode_content_ids(const image_tree& tree);

/// Serializes the first part of a TOC. Equal inputs give equal bytes on every machine.
/// Errors: `limit_exceeded` when names exceed 4 GiB or a count exceeds 2^32 - 2.
[[nodiscard]] result<std::vector<std::byte>> encode_toc(const toc_header& header, const image_tree& tree);

/// Attributes of one inode as the message has them; views live as long as the `toc_view`.
struct inode_view {
  file_type type = file_type::regular;
  std::uint32_t mode = 0;  ///< st_mode
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t links = 1;
  std::uint64_t size = 0;
  timestamp modified;
  std::uint32_t content = image_inode::no_content;  ///< index for `content()`
  std::uint32_t directory = 0;                      ///< index, directories only
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint32_t xattr_first = 0;
  std::uint32_t xattr_count = 0;
  std::string_view symlink_target;
};

struct entry_view {
  std::string_view name;
  inode_number inode = 0;
};
struct xattr_view {
  std::string_view name;
  std::string_view value;
};

/// A validated TOC, read in place. Immutable but for the content ids, which are learnt once; every member may
/// be called from any thread at once.
class toc_view {
 public:
  /// Opens the first part; the contents are not known yet, unless there are none. `message` is 8-byte
  /// aligned. Checks the whole message once (every index, offset, order, inode reachable and typed as its
  /// detail says), so that no later read can fail. Errors: `corrupt`, `protocol` for another version.
  static result<std::shared_ptr<const toc_view>> open(shared_bytes message);

  /// Takes the second part, whose digest the caller has compared with `contents_digest`. Does nothing once
  /// the contents are known. Errors: `corrupt` for a wrong size or a content that is listed twice.
  result<void> learn_contents(shared_bytes ids) const;
  /// Once true it stays so, and `content` may be called.
  [[nodiscard]] bool contents_known() const;

  ~toc_view();
  toc_view(const toc_view&) = delete;
  toc_view& operator=(const toc_view&) = delete;

  /// The first part as it was opened.
  [[nodiscard]] bytes_view message() const;
  /// The tables of fixed-width rows inside `message`, in order; the forms of their columns are left at
  /// `words`.
  [[nodiscard]] std::vector<column_table> tables() const;
  /// The second part; empty while it is not known.
  [[nodiscard]] bytes_view content_ids() const;
  [[nodiscard]] const digest& contents_digest() const;
  [[nodiscard]] std::uint32_t block_bytes() const;
  [[nodiscard]] block_geometry geometry() const { return {block_bytes()}; }
  [[nodiscard]] const digest& manifest_digest() const;
  [[nodiscard]] std::string_view manifest_json() const;
  [[nodiscard]] std::string_view config_json() const;
  [[nodiscard]] std::uint64_t compressed_bytes() const;

  [[nodiscard]] std::uint32_t inode_count() const;
  /// `number` is in [1, inode_count()].
  [[nodiscard]] inode_view inode(inode_number number) const;
  [[nodiscard]] xattr_view xattribute(const inode_view& of, std::uint32_t position) const;
  /// Extended attributes of all inodes together.
  [[nodiscard]] std::uint32_t xattribute_count() const;
  /// One of all; `index` is below `xattribute_count`.
  [[nodiscard]] xattr_view xattribute(std::uint32_t index) const;

  /// All that `inode_view::directory` can be is below this.
  [[nodiscard]] std::uint32_t directory_count() const;
  /// Entries of a directory, sorted by name bytes. `position` is below `entry_count`.
  [[nodiscard]] std::uint32_t entry_count(const inode_view& directory) const;
  [[nodiscard]] entry_view entry(const inode_view& directory, std::uint32_t position) const;
  [[nodiscard]] inode_number parent(const inode_view& directory) const;
  /// Binary search by name.
  [[nodiscard]] std::optional<inode_number> lookup(const inode_view& directory, std::string_view name) const;

  [[nodiscard]] std::uint32_t content_count() const;
  /// Precondition: `contents_known()`.
  [[nodiscard]] content_info content(std::uint32_t index) const;
  /// Unpacked bytes of one content. Known from the start, as is their sum.
  [[nodiscard]] std::uint64_t content_size(std::uint32_t index) const;
  [[nodiscard]] std::uint64_t content_bytes() const;

  /// The tree again as a value: for tests, patches and tools; costs memory. Precondition: `contents_known()`.
  [[nodiscard]] image_tree tree() const;
  [[nodiscard]] toc_header header() const;

 private:
  struct impl;
  explicit toc_view(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
