#pragma once
#include "config/snapshot_limits.hpp"
#include "model/snapshot_index.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// SNAPSHOT RECORDS: a snapshot_index whose changes are in the database, durable, before they show. One
/// thread.
class snapshot_records {
 public:
  /// Reads all that is stored. `metadata` outlives this. Errors: `corrupt`, `io`.
  static result<snapshot_records> open(database& metadata, const snapshot_limits& limits = {});

  [[nodiscard]] const snapshot_index& index() const { return index_; }

  /// Carries out what the index has allowed. @returns the record as it is now. Errors: that of `change`;
  /// `io`, `no_space`: then nothing has changed.
  result<snapshot_record> apply(const result<snapshot_change>& change);
  /// Forgets a snapshot that `index().remove` has allowed to go. Errors: as `apply`.
  result<snapshot_record> remove(const result<snapshot_record>& allowed);

 private:
  snapshot_records(database& metadata, const snapshot_limits& limits);

  database* metadata_;
  snapshot_index index_;
};

}  // namespace firstlight
