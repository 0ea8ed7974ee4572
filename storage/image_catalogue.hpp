#pragma once
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/transfer.hpp"
#include "schemas/image_record.hpp"
#include "schemas/toc.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// IMAGE CATALOGUE: which images are known, their TOCs (files, mapped on demand) and the orders in
/// which their starts read them. Hub and node have one each. All members from any thread; they may
/// block on the disk. Changes are durable when a call returns.
class image_catalogue {
 public:
  /// Keeps TOCs in `folder`/tocs. `metadata` must outlive the catalogue.
  static result<std::unique_ptr<image_catalogue>> open(const std::filesystem::path& folder,
                                                       database& metadata);

  /// The record of a reference, or nothing. Errors: `io`, `corrupt`.
  result<std::optional<image_record>> find(const std::string& reference, const std::string& platform) const;
  /// Any record whose manifest has this digest.
  result<std::optional<image_record>> find_manifest(const digest& manifest) const;
  /// Any record that names this TOC.
  result<std::optional<image_record>> find_toc(const toc_id& id) const;
  /// All records, by reference and platform.
  result<std::vector<image_record>> list() const;
  /// Adds or replaces the record of its reference and platform. Its TOC must be stored before. Only the
  /// record of a complete image surely survives a power cut.
  result<void> put(const image_record& record);
  /// Forgets a record, and its TOC and order once no other record names them. Errors: `not_found`.
  result<void> remove(const std::string& reference, const std::string& platform);

  /// Stores a TOC durably and opens it. Errors: `corrupt` when `message` has not the digest `id` or
  /// is not a TOC, `no_space`, `io`.
  result<std::shared_ptr<const toc_view>> store_toc(const toc_id& id, bytes_view message);
  /// Opens a stored TOC; readers of the same TOC share one mapping. Errors: `not_found`, `corrupt`.
  result<std::shared_ptr<const toc_view>> toc(const toc_id& id) const;
  /// A stored TOC as it travels: compressed alone, or as a patch against another stored one. Made once,
  /// then read from a file. Only `origin` is left empty. Errors: `not_found`, `io`.
  result<toc_frame> packed_toc(const toc_id& id, const std::optional<toc_id>& base) const;
  /// The message of a TOC that has travelled. Errors: `not_found` if its patch base is not stored, `corrupt`
  /// if it is not `expected`.
  result<shared_bytes> unpacked_toc(const toc_frame& frame, const toc_id& expected) const;
  [[nodiscard]] std::filesystem::path toc_path(const toc_id& id) const;

  result<void> put_order(const toc_id& id, const stored_order& order);
  /// An empty order when none is stored.
  result<stored_order> order(const toc_id& id) const;

 private:
  image_catalogue(std::filesystem::path folder, database& metadata);

  std::filesystem::path folder_;
  database& metadata_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<toc_id, std::weak_ptr<const toc_view>> open_;  // guarded by mutex_
};

}  // namespace firstlight
