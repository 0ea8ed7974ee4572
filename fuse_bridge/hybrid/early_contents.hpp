#pragma once
#include <filesystem>
#include <optional>

#include "storage/early_name.hpp"

namespace firstlight {

/// EARLY CONTENTS: which contents the early names of arriving images have come to mean, in one file for each
/// TOC below a folder, for a process that does not know the images (fuse_bridge/caretaker.hpp). Stateless;
/// any thread.
class early_contents {
 public:
  /// Nothing is kept if `folder` is empty.
  explicit early_contents(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Of a TOC whose contents have just become known. Errors: `io`, `no_space`.
  [[nodiscard]] result<void> keep(const toc_id& toc, std::span<const content_id> contents) const;
  void forget(const toc_id& toc) const;
  void forget_all() const;

  /// Nothing if it is not kept.
  [[nodiscard]] std::optional<content_id> find(const early_content& content) const;

 private:
  [[nodiscard]] std::filesystem::path file_of(std::uint32_t toc_mark) const;

  std::filesystem::path folder_;
};

}  // namespace firstlight
