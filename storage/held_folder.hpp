#pragma once
#include <sys/stat.h>

#include "storage/posix_file.hpp"

namespace firstlight {

/// A folder in a tree that others may change meanwhile: it is reached without following a link and kept by
/// its descriptor, so that nobody can put another one, outside of the tree, in its place. Movable.
class held_folder {
 public:
  /// `path` is relative to the folder with the descriptor `root`; "" is that itself. Errors: `not_found`;
  /// `busy` where something else than a folder is, a link for instance; `denied`, `io`.
  static result<held_folder> open(int root, const std::filesystem::path& path);

  [[nodiscard]] int get() const { return folder_.get(); }
  /// As lstat(2) of an entry. @returns 0, or an error of errno
  [[nodiscard]] int look_at(const std::string& name, struct stat& found) const;
  /// A path of an entry, or with "" of the folder, for calls that take no descriptor; good while this lives.
  /// None of its parts but the last one can be a link.
  [[nodiscard]] std::filesystem::path path_of(const std::string& name) const;

 private:
  explicit held_folder(file_descriptor folder) : folder_(std::move(folder)) {}

  file_descriptor folder_;
};

}  // namespace firstlight
