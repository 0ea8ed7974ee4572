#pragma once
#include <cstdint>
#include <vector>

namespace firstlight {

/// A place of one version of a file, and where that is in another one. Bytes from the start.
struct version_anchor {
  std::uint64_t before = 0;
  std::uint64_t now = 0;
  friend auto operator<=>(const version_anchor&, const version_anchor&) = default;
};

/// VERSION MAP: where in one version of a file stands what another version has at some place. Between two
/// anchors everything keeps its share of the way from one to the other; the beginnings and the ends of the
/// files are anchors too.
class version_map {
 public:
  /// Of anchors that contradict each other (two parts have changed places) most are kept: a longest chain
  /// that rises in both versions.
  version_map(std::uint64_t size_before, std::uint64_t size_now, std::vector<version_anchor> anchors = {});

  /// Never falls as `before` rises; at most the size of the version now.
  [[nodiscard]] std::uint64_t at(std::uint64_t before) const;

  /// The first place at which something may begin now that began at `before`, and the last one at which
  /// something may end that ended there, if the bytes that came or went between the two anchors beside it are
  /// one piece: that may be anywhere between them, before or behind.
  [[nodiscard]] std::uint64_t earliest(std::uint64_t before) const;
  [[nodiscard]] std::uint64_t latest(std::uint64_t before) const;

  /// How far apart the two anchors are, in the version now, between which a place is.
  [[nodiscard]] std::uint64_t gap(std::uint64_t before) const;

  /// How many given anchors were kept.
  [[nodiscard]] std::size_t anchors() const { return chain_.size() - 2; }

 private:
  /// The anchor behind a place inside of the file.
  [[nodiscard]] std::vector<version_anchor>::const_iterator above(std::uint64_t before) const;

  std::vector<version_anchor> chain_;  ///< rising, from (0, 0) to the sizes
};

}  // namespace firstlight
