#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "test/harness/filesystem/touched_contents.hpp"

namespace firstlight::fstest {

/// Where the tested file system may differ from a native one, as docs/mounting.md says.
struct allowed_differences {
  bool folder_links = false;  ///< link counts of folders
  bool pipe_times = false;    ///< named pipes keep their times when they are written to
  /// A regular file may look as if it was modified when it was only opened for writing: overlayfs with
  /// metacopy forgets the time when it copies contents after attributes.
  bool newer_files = false;
  /// So may a folder in which something could not be renamed: overlayfs copies up first, and only then
  /// refuses.
  bool newer_folders = false;
};

/// The first difference that showed.
struct difference {
  std::size_t step = 0;  ///< operations carried out before it
  std::string what;
};

/// What is compared of a tree: names and attributes, or contents, too. These arrive by being looked at.
enum class compared : std::uint8_t { attributes, whole };

/// Carries the same operations out on both. After every one compares what each sees, names and attributes
/// of the whole trees, and contents as touched_contents does, of all that has arrived after every 25; all
/// contents after every `contents_interval` and at the end, or never if that is 0.
[[nodiscard]] std::optional<difference> compare(subject& native, subject& tested,
                                                const std::vector<operation>& operations,
                                                const allowed_differences& allowed,
                                                std::size_t contents_interval = 250,
                                                image_contents when = image_contents::arriving);

[[nodiscard]] std::optional<std::string> compare_trees(const subject& native, const subject& tested,
                                                       const allowed_differences& allowed,
                                                       compared how = compared::whole);

/// The shortest part of a failing sequence that was found to fail too (delta debugging, Zeller and
/// Hildebrandt 2002). `fails(part)` runs it on fresh file systems; the last part that it has found to fail is
/// the one that is returned.
template <class Step, class Fails>
[[nodiscard]] std::vector<Step> shrink(std::vector<Step> failing, Fails fails) {
  for (std::size_t part = failing.size() / 2; part > 0; part /= 2) {
    for (std::size_t at = 0; at < failing.size();) {
      auto shorter = failing;
      const auto begin = shorter.begin() + static_cast<std::ptrdiff_t>(at);
      shorter.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(part, shorter.size() - at)));
      if (fails(shorter))
        failing = std::move(shorter);
      else
        at += part;
    }
  }
  return failing;
}

/// $FIRSTLIGHT_SEED, which repeats a test; else drawn.
[[nodiscard]] std::uint64_t seed_of_test();

/// One operation a line.
[[nodiscard]] std::string script_of(const std::vector<operation>& operations);

}  // namespace firstlight::fstest
