#pragma once
#include "storage/database.hpp"

namespace firstlight {

/// SWEEP DUE: a durable note that a store may have contents which nothing needs: of an image whose removal
/// has begun, or of one that had no room. It is written before, and goes when they have gone, so that the
/// next process finds it if this one is stopped in between. Any thread.
class sweep_due {
 public:
  /// `metadata` outlives this.
  explicit sweep_due(database& metadata) : metadata_(&metadata) {}

  /// Durable when it returns. Errors: `io`, `no_space`.
  result<void> note();
  /// All has gone. Errors: `io`, `no_space`.
  result<void> done();
  /// Errors: `io`.
  [[nodiscard]] result<bool> is_noted() const;

 private:
  database* metadata_;
};

}  // namespace firstlight
