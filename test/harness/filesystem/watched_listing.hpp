#pragma once
#include <set>

#include "test/harness/filesystem/operation.hpp"
#include "test/harness/filesystem/outcome.hpp"
#include "test/harness/filesystem/partial_listing.hpp"

namespace firstlight::fstest {

/// A folder that is listed in parts while operations change it. What POSIX says of names that come and go
/// meanwhile is nothing; all others are met once. Not thread-safe.
class watched_listing {
 public:
  watched_listing() = default;
  explicit watched_listing(const std::string& path) : reader_(path) {}
  explicit operator bool() const { return static_cast<bool>(reader_); }

  /// Before an operation is carried out: its paths begin at `root`.
  void note(int root, const operation& what);
  /// Reads a few names, which are told at the end.
  [[nodiscard]] outcome more();
  /// Reads the rest. Tells the names that nothing was done to, sorted, as often as they were met.
  [[nodiscard]] outcome end();

 private:
  void note_name(int root, const std::string& path);

  partial_listing reader_;
  std::vector<std::string> met_;
  std::set<std::string> touched_;
};

}  // namespace firstlight::fstest
