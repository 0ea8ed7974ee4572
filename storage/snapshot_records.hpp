#pragma once
#include <map>
#include <set>

#include "config/snapshot_limits.hpp"
#include "model/snapshot_index.hpp"
#include "model/unreadable_record.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// SNAPSHOT RECORDS: a snapshot_index whose changes are in the database, durable, before they show. One
/// thread.
class snapshot_records {
 public:
  /// Reads all that is stored. `metadata` outlives this. Errors: `io`.
  static result<snapshot_records> open(database& metadata, const snapshot_limits& limits = {});

  [[nodiscard]] const snapshot_index& index() const { return index_; }

  /// Stored snapshots that are not in the index: their records cannot be read, or need one that is not there.
  /// The records stay until a snapshot of the same name is made, or `drop`.
  [[nodiscard]] const std::vector<unreadable_record>& unserved() const { return unserved_; }
  /// Whether records of some of them cannot be read at all: what those need nobody knows.
  [[nodiscard]] bool has_undecodable() const { return !undecodable_.empty(); }
  /// The others of them, by name: these can be read. Of those that cannot nobody knows which folder is
  /// theirs.
  [[nodiscard]] const std::map<std::string, snapshot_record>& refused() const { return refused_; }
  /// New snapshots get ids above this one.
  void skip_ids(std::uint64_t up_to) { index_.skip_ids(up_to); }

  /// Carries out what the index has allowed. @returns the record as it is now. Errors: that of `change`;
  /// `io`, `no_space`: then nothing has changed.
  result<snapshot_record> apply(const result<snapshot_change>& change);
  /// Forgets a snapshot that `index().remove` has allowed to go. Errors: as `apply`.
  result<snapshot_record> remove(const result<snapshot_record>& allowed);
  /// Forgets one that is not served. The caller has seen to its folder before: from here on it is nobody's.
  /// Errors: `not_found` for any other; as `apply`.
  result<void> drop(const std::string& name);

 private:
  snapshot_records(database& metadata, const snapshot_limits& limits);
  void no_more_unserved(const std::string& name);

  database* metadata_;
  snapshot_index index_;
  std::vector<unreadable_record> unserved_;
  std::set<std::string, std::less<>> undecodable_;  ///< names
  std::map<std::string, snapshot_record> refused_;
};

}  // namespace firstlight
