#pragma once
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/store_limits.hpp"
#include "model/transfer.hpp"
#include "schemas/image_record.hpp"
#include "schemas/toc.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// IMAGE CATALOGUE: which images are known, their TOCs (files, mapped on demand) and the orders in
/// which their starts read them. Hub and node have one each. All members from any thread; they may
/// block on the disk. Changes are durable when a call returns, unless it says otherwise. The TOCs used last
/// stay open, so that they need not be read and checked for each pull.
class image_catalogue {
 public:
  /// Keeps TOCs in `folder`/tocs. `metadata` must outlive the catalogue.
  static result<std::unique_ptr<image_catalogue>> open(const std::filesystem::path& folder,
                                                       database& metadata,
                                                       const catalogue_limits& limits = {});

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

  /// Stores a TOC and opens it; `id` is the digest of `message`, which the caller has checked or made. A
  /// buffered one may be gone after a power cut; syncing the file system makes it stay.
  /// Errors: `corrupt` when it is not a TOC, `no_space`, `io`.
  result<std::shared_ptr<const toc_view>> store_toc(const toc_id& id, bytes_view message,
                                                    durability how = durability::synced);
  /// Opens a stored TOC; readers of the same TOC share one mapping. Errors: `not_found`, `corrupt` if it is
  /// damaged: whoever can gets it anew.
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
  image_catalogue(std::filesystem::path folder, database& metadata, const catalogue_limits& limits);
  using toc_pointer = std::shared_ptr<const toc_view>;
  void forget_toc(const toc_id& id);
  result<toc_pointer> open_toc(const toc_id& id, shared_bytes message) const;

  std::filesystem::path folder_;
  database& metadata_;
  catalogue_limits limits_;
  mutable std::mutex mutex_;  // guards the following
  mutable std::unordered_map<toc_id, std::weak_ptr<const toc_view>> open_;
  mutable std::deque<toc_pointer> recent_;  // the latest first
};

}  // namespace firstlight
