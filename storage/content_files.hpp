#pragma once
#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "model/blocks.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// The files of a content store, without any state: `contents/ab/<62 digits>` complete ones,
/// `partial/<64 digits>` arriving ones, `new/<number>` those whose id is not known yet.
/// All members from any thread; the caller orders calls on the same content.
class content_files {
 public:
  /// Makes the folders and empties `new/`. Errors: `io`, `denied`, `no_space`.
  static result<content_files> open(const std::filesystem::path& folder);
  content_files(content_files&& other) noexcept;

  /// Writes a whole content. It gets its name only then: hybrid mounts read `contents/` without asking us.
  /// Leaves nothing behind on error.
  result<void> write_complete(const content_id& id, bytes_view bytes);
  result<file_descriptor> open_complete(const content_id& id) const;
  /// For reading and writing; made when it is not there.
  result<file_descriptor> open_partial(const content_id& id) const;
  result<void> promote(const content_id& id) const;  ///< partial becomes complete
  result<void> demote(const content_id& id) const;   ///< complete becomes partial
  /// Deletes; a file that is not there is no error.
  result<void> remove_complete(const content_id& id) const;
  result<void> remove_partial(const content_id& id) const;

  struct unnamed {
    std::string name;
    file_descriptor file;
  };
  result<unnamed> new_unnamed();
  result<void> promote_unnamed(const std::string& name, const content_id& id) const;
  void remove_unnamed(const std::string& name) const;

  /// Makes all that has been written to these files durable.
  result<void> sync() const;

  /// Visits the files of all complete or partial contents; files with other names are deleted.
  using visitor = std::function<void(const content_id& id, std::uint64_t size)>;
  result<void> visit_complete(const visitor& visit) const;
  result<void> visit_partial(const visitor& visit) const;

 private:
  content_files() = default;
  result<void> visit_folder(const std::string& folder, const std::string& prefix, const visitor& visit) const;
  result<void> make_complete_folder(const content_id& id) const;
  result<void> remove_file(const std::string& path) const;
  result<void> move_file(const std::string& from, const std::string& to) const;

  std::string name_;
  file_descriptor root_;
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace firstlight
