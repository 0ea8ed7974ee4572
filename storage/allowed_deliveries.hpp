#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/digest.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// A delivery that was allowed to a node. No secret is in it.
struct allowed_delivery {
  std::string node;
  toc_id toc;
  std::int64_t at = 0;  ///< seconds since the epoch
};

/// ALLOWED DELIVERIES: what nodes may go on with after the hub has started anew, without asking a registry
/// again. Any thread.
class allowed_deliveries {
 public:
  /// `metadata` outlives this.
  explicit allowed_deliveries(database& metadata) : metadata_(metadata) {}

  /// Errors: `io`, `no_space`.
  result<void> note(const allowed_delivery& delivery);
  /// Those since `oldest` (seconds since the epoch); older ones are forgotten. Errors: `io`.
  result<std::vector<allowed_delivery>> since(std::int64_t oldest);

 private:
  database& metadata_;
};

}  // namespace firstlight
