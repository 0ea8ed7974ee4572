#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "config/store_limits.hpp"
#include "model/blocks.hpp"

namespace firstlight {

class database;

enum class content_state : std::uint8_t { absent, partial, complete };

/// Streams one new content into the store (hub: ingestion). One thread; append, then finish once.
/// A writer that is dropped unfinished leaves nothing behind.
class content_writer {
 public:
  virtual ~content_writer() = default;
  virtual result<void> append(bytes_view bytes) = 0;
  /// The content's id and size. An equal content that is already there is not written again.
  /// An empty content is `invalid_argument`: empty files have no content.
  virtual result<content_info> finish() = 0;
};

/// CONTENT STORE: the bytes of files, by content id, each once. Complete contents are plain files
/// `contents/ab/<62 more digits>`; arriving ones are sparse files in `partial/` with a block set.
/// All members may be called from any thread. What `checkpoint` has returned for survives a power
/// cut; what came later is fetched again (promise 3 of the design).
class content_store {
 public:
  /// Opens or makes the store below `folder`; forgets partial blocks newer than the last checkpoint
  /// and files the database does not know as complete.
  static result<std::unique_ptr<content_store>> open(std::filesystem::path folder, database& metadata,
                                                     block_geometry geometry, std::uint32_t open_files_max,
                                                     const content_store_limits& limits = {});
  virtual ~content_store() = default;

  [[nodiscard]] virtual content_state state(const content_id& id) const = 0;
  /// Which blocks are there; all of them for a complete content.
  [[nodiscard]] virtual block_set blocks(const content_info& content) const = 0;
  [[nodiscard]] virtual bool ready(const content_info& content, std::uint32_t first,
                                   std::uint32_t count) const = 0;

  /// Stores blocks [first, ...) whose bytes the caller has verified; `bytes` ends on a block or at
  /// the end of the content. Repeats are harmless. The last block makes it complete.
  /// @returns the content's state afterwards. Errors: `no_space` and `io`, which lose nothing that was
  /// there; `invalid_argument` for bytes that end elsewhere or a size other than the stored one.
  virtual result<content_state> write(const content_info& content, std::uint32_t first, bytes_view bytes) = 0;

  /// Fills `into` from `offset`, stopping at the end of the content.
  /// @returns the bytes read. Errors: `not_ready` if any block of the range has not arrived, `io`;
  /// `corrupt` if the file was damaged from outside: remove the content and fetch it again.
  virtual result<std::size_t> read(const content_info& content, std::uint64_t offset,
                                   std::span<std::byte> into) const = 0;

  /// A read-only descriptor of a complete content that the caller closes.
  /// Errors: `not_ready`, `io`, `corrupt` as in `read`.
  virtual result<int> open_complete(const content_info& content) const = 0;

  [[nodiscard]] virtual std::unique_ptr<content_writer> new_content() = 0;

  /// The leaf hashes of a complete content, for Merkle proofs; computed again from the file when there
  /// is no record of them. Errors: `not_ready`, `io`, `corrupt` if the file does not match its id.
  virtual result<std::vector<digest>> leaves(const content_info& content) const = 0;

  /// Makes everything written before the call durable. When the disk reports an error, what was not
  /// durable yet cannot be trusted any more and is forgotten: it is `absent` afterwards.
  virtual result<void> checkpoint() = 0;

  /// How many complete contents had no file any more when this was opened, or one of another size. They are
  /// absent: see `mark_incomplete`.
  [[nodiscard]] virtual std::uint64_t lost_at_opening() const { return 0; }

  /// Forgets a content and deletes its file; open descriptors stay valid.
  virtual result<void> remove(const content_id& id) = 0;

  virtual void for_each(const std::function<void(const content_info&, content_state)>& visit) const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_stored() const = 0;
};

}  // namespace firstlight
