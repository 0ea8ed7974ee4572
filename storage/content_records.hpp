#pragma once
#include <unordered_map>

#include "model/blocks.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// What a content store keeps in the database (docs/formats.md, store layout): sizes of complete
/// contents, block sets of partial ones, leaf hashes. All members from any thread.
class content_records {
 public:
  content_records(database& metadata, block_geometry geometry) : metadata_(metadata), geometry_(geometry) {}

  /// A store keeps the block size that it was made with. Errors: `invalid_argument` for another one.
  result<void> check_geometry();

  struct partial_record {
    std::uint64_t size = 0;
    block_set blocks;
  };
  struct loaded {
    std::unordered_map<content_id, std::uint64_t> complete;
    std::unordered_map<content_id, partial_record> partial;
  };
  /// All records; those that do not decode are left out, so that their contents are fetched again.
  result<loaded> load() const;

  struct changes {
    std::vector<content_info> complete;
    std::vector<std::pair<content_id, partial_record>> partial;
  };
  /// Writes all together and makes them, and all earlier changes, durable.
  result<void> commit(const changes& all);
  /// Forgets all about a content; durable with the next `commit` or `sync`.
  result<void> erase(const content_id& id);
  result<void> sync() { return metadata_.sync(); }

  result<void> put_leaves(const content_id& id, std::span<const digest> leaves);
  /// Nothing when there is no record for `count` leaves.
  result<std::optional<std::vector<digest>>> leaves(const content_id& id, std::uint32_t count) const;

 private:
  database& metadata_;
  block_geometry geometry_;
};

}  // namespace firstlight
