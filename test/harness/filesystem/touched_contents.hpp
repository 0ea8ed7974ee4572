#pragma once
#include <optional>
#include <set>

#include "test/harness/filesystem/subject.hpp"

namespace firstlight::fstest {

/// Whether a tested file system's contents are all there, or arrive by being looked at.
enum class image_contents : std::uint8_t { there, arriving };

/// TOUCHED CONTENTS: compares after each operation what is in the files that it named, by all names that they
/// have, and in the one that it held. While contents arrive only of files that have arrived, as an
/// operation on them tells: the comparison itself brings none.
class touched_contents {
 public:
  explicit touched_contents(image_contents when) : all_arrived_(when == image_contents::there) {}

  /// Both have carried `what` out, with the outcome `done`. @returns the first difference, for people
  [[nodiscard]] std::optional<std::string> compare_after(const operation& what, const outcome& done,
                                                         subject& native, subject& tested);
  /// The same of all files that have arrived, whichever an operation named last.
  [[nodiscard]] std::optional<std::string> compare_arrived(subject& native, subject& tested) const;
  /// All files of both have been read.
  void note_all_arrived() { all_arrived_ = true; }

 private:
  bool all_arrived_;
  std::set<ino_t> arrived_;  ///< of the native folder
};

}  // namespace firstlight::fstest
