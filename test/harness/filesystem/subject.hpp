#pragma once
#include <array>
#include <filesystem>

#include "storage/posix_file.hpp"
#include "test/harness/filesystem/watched_listing.hpp"

namespace firstlight::fstest {

/// What is looked at, beside all the rest.
struct view_of_attributes {
  bool folder_links = true;  ///< link counts of folders
  bool pipe_times = true;    ///< modification times of named pipes
  bool contents = true;      ///< what is in files, which makes it arrive
};

/// A folder that operations are carried out in, and the files and folders that they hold open. Not
/// thread-safe.
class subject {
 public:
  /// Times from `start` on (seconds since the epoch) are not compared: two subjects are never equally fast.
  subject(std::filesystem::path root, std::int64_t start);

  [[nodiscard]] outcome apply(const operation& what);
  /// Every path below the root with all that lstat says but numbers, sorted; and extended attributes and
  /// contents.
  [[nodiscard]] std::vector<std::string> observe(const view_of_attributes& view) const;
  /// What lstat says of one path, in words.
  [[nodiscard]] outcome look(int folder, const std::string& path, const view_of_attributes& view) const;
  void let_all_go();
  /// Lets go of the files that have no name any more.
  void let_removed_go();
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  view_of_attributes view;  ///< of operations that look

 private:
  [[nodiscard]] outcome with_file(const operation& what, int flags,
                                  outcome (*work)(int, const operation&)) const;

  std::filesystem::path root_;
  file_descriptor folder_;
  std::int64_t start_;
  std::array<file_descriptor, 4> held_;
  std::array<watched_listing, 4> listings_;
};

}  // namespace firstlight::fstest
