#pragma once
#include <functional>
#include <string_view>

#include "model/snapshot_record.hpp"

namespace firstlight {

/// SNAPSHOT FILTER: containerd's filters, of which one has to match. A filter is a list of selectors that all
/// have to match: `name==x,labels."a.b/c"!=y,kind~=act.*,parent`. Fields are name, parent, kind and
/// labels.KEY; others are never present. A field alone asks whether it is present; to `!=` and `~=` what is
/// not is empty text. A value is plain up to the next comma or space, or quoted: "..." as in Go, after `~=`
/// also /.../ and |...|. Spaces may stand before names, operators and values. A value, any thread.
class snapshot_filter {
 public:
  /// Whether a regular expression matches somewhere in a text. Any thread.
  using pattern = std::function<bool(std::string_view)>;
  /// Reads a regular expression. Errors: `invalid_argument` for what is none, or is too large.
  using pattern_compiler = std::function<result<pattern>(const std::string&)>;

  /// No filters, or an empty one, match everything. Errors: `invalid_argument`, saying what was expected
  /// where; those of `compile`.
  [[nodiscard]] static result<snapshot_filter> parse(const std::vector<std::string>& filters,
                                                     const pattern_compiler& compile);

  [[nodiscard]] bool matches(const snapshot_record& snapshot) const;

 private:
  friend class filter_parser;
  enum class comparison : std::uint8_t { present, equal, different, pattern };
  struct selector {
    std::vector<std::string> path;
    comparison how = comparison::present;
    std::string value;
    snapshot_filter::pattern pattern{};
  };
  [[nodiscard]] static bool matches(const selector& wanted, const snapshot_record& snapshot);

  std::vector<std::vector<selector>> any_;
};

}  // namespace firstlight
