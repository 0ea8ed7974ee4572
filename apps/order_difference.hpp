#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "schemas/admin_learning.hpp"

namespace firstlight {

/// How what starts of two images are expected to read differs.
struct order_difference {
  struct file {
    std::string path;
    std::size_t place = 0;  ///< among the files that a start of its image is expected to read, from 0
    friend bool operator==(const file&, const file&) = default;
  };
  std::vector<file> removed;  ///< expected of the first image only, by path
  std::vector<file> added;    ///< expected of the second image only, by path
  std::size_t same = 0;       ///< files that are expected of both
  friend bool operator==(const order_difference&, const order_difference&) = default;
};

/// Both with the runs of their orders. Pure.
[[nodiscard]] order_difference compare_orders(const admin_trace_detail& before,
                                              const admin_trace_detail& after);

/// What `firstlight trace diff` prints: a table, or with --json one line {"removed":[{"path","place"}],
/// "added":[{"path","place"}],"same"}. Bytes of paths that are not UTF-8 become U+FFFD there.
[[nodiscard]] std::string to_text(const order_difference& difference);
[[nodiscard]] std::string to_json(const order_difference& difference);

}  // namespace firstlight
