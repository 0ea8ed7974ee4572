#pragma once
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/store_limits.hpp"
#include "model/transfer.hpp"
#include "model/unreadable_record.hpp"
#include "schemas/image_record.hpp"
#include "schemas/toc.hpp"
#include "storage/database.hpp"
#include "storage/toc_packing.hpp"

namespace firstlight {

/// Whether an error of `image_catalogue::toc` means that the TOC must be made or fetched anew: it is gone,
/// damaged, or of another version.
[[nodiscard]] constexpr bool toc_is_lost(errc code) {
  return code == errc::not_found || code == errc::corrupt || code == errc::protocol;
}

/// By what a record is found, both in canonical form.
struct catalogue_name {
  std::string reference;
  std::string platform;
  friend bool operator==(const catalogue_name&, const catalogue_name&) = default;
};

/// Where an order comes from.
enum class order_kind : std::uint8_t {
  guessed,  ///< from the image alone (model/static_order.hpp)
  learned,  ///< from traces of its starts, or of its relatives'
};

/// IMAGE CATALOGUE: which images are known, their TOCs (two files each, mapped on demand) and the orders in
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
  /// All records that can be read, by reference and platform. Errors: `io`.
  result<std::vector<image_record>> list() const;
  /// The same for whoever removes what no record names. Errors: `corrupt` if any record cannot be read; `io`.
  result<std::vector<image_record>> list_whole() const;
  /// All others, by their references and platforms. They stay until they are replaced by `put`, or removed.
  /// Errors: `io`.
  result<std::vector<unreadable_record>> unreadable() const;
  /// Adds or replaces the record of its reference and platform. The TOC of a complete image must be stored
  /// before, any other may still be on its way. Only the record of a complete image surely survives a power
  /// cut.
  result<void> put(const image_record& record);
  /// Changes a record; nobody else changes it meanwhile. @returns the changed one. Errors: `not_found`.
  result<image_record> change(const std::string& reference, const std::string& platform,
                              const std::function<void(image_record&)>& how);
  /// Forgets a record, also one that cannot be read, and its TOC and order once no other record names them;
  /// these stay while any record cannot be read. Errors: `not_found`.
  result<void> remove(const std::string& reference, const std::string& platform);
  /// Forgets TOCs, with their orders, that no record names since a tag means another image now; the latest
  /// `unnamed_kept_max` and those in use stay: nodes may still have those images, and relatives learn from
  /// them. Only for hubs: mounts of a node name TOCs that its records do not. @returns how many went
  /// Errors: `corrupt` if any record cannot be read; `io`.
  result<std::uint32_t> forget_unnamed();
  /// The same of all but `used`: for nodes.
  result<std::uint32_t> forget_unnamed(const std::set<toc_id>& used);

  // Who wants an image on a node: containerd alone, until its last snapshot of it is gone, or users too. An
  // image of which nothing was said is for users. `remove` forgets what was said.

  /// Said before the image arrives, of one that nobody has.
  result<void> hold_for_containerd(const catalogue_name& image);
  /// Durable when it returns.
  result<void> hold_for_users(const catalogue_name& image);
  result<bool> is_held_for_containerd(const catalogue_name& image) const;
  /// All that containerd alone wants, also those that have never arrived.
  result<std::vector<catalogue_name>> held_for_containerd() const;

  /// Stores a TOC durably and opens it. Errors: `corrupt` when it is not a TOC, `no_space`, `io`.
  result<std::shared_ptr<const toc_view>> store_toc(const made_toc& made);
  /// Opens the tree of a TOC whose contents are still on their way, so that it can be used at once; it is
  /// stored later, by `store_tree`. A TOC that is open already is the answer instead. Errors: `corrupt`, also
  /// if `id` is not its digest. `meanwhile` gets what is opened while its digest is still being compared: it
  /// may compute something from it, and give away nothing.
  using opened_toc = std::function<void(const std::shared_ptr<const toc_view>&)>;
  result<std::shared_ptr<const toc_view>> open_tree(const toc_id& id, const shared_bytes& tree,
                                                    const opened_toc& meanwhile = {});
  /// Stores a tree that `open_tree` has opened. It may be gone after a power cut. Errors: `no_space`, `io`.
  result<void> store_tree(const toc_id& id, const toc_view& toc);
  /// Gives a TOC that `open_tree` has opened its contents, and stores them. Both parts may be gone after a
  /// power cut; syncing the file system makes them stay. Errors: `corrupt`, `no_space`, `io`.
  result<void> store_contents(const toc_id& id, const toc_view& toc, shared_bytes contents);
  /// Opens a stored TOC; its contents are known, and readers of the same TOC share one mapping.
  /// Errors: `not_found`, also of one whose contents are on their way; `corrupt` if it is damaged; `protocol`
  /// if it is of another version (see `toc_is_lost`).
  result<std::shared_ptr<const toc_view>> toc(const toc_id& id) const;
  /// The same, but of a TOC whose contents have never arrived its tree alone: for mounts that outlived the
  /// process which was receiving them.
  result<std::shared_ptr<const toc_view>> tree(const toc_id& id) const;
  /// A part of a stored TOC as it travels: compressed alone, or as a patch against another stored one. Made
  /// once, then read from a file; of patches the latest `patches_kept_max` are kept. Only `origin` is left
  /// empty. Errors: `not_found`, `io`.
  result<toc_frame> packed_toc(const toc_id& id, toc_part part, const std::optional<toc_id>& base) const;
  /// A part of a TOC that has travelled, not compared with its digest yet: `open_tree` and `store_contents`
  /// do that. Errors: `not_found` if its patch base is not stored, `corrupt`.
  result<shared_bytes> unpacked_toc(const toc_frame& frame) const;
  [[nodiscard]] std::filesystem::path toc_path(const toc_id& id, toc_part part) const;

  result<void> put_order(const toc_id& id, const stored_order& order, order_kind kind = order_kind::guessed);
  /// The learned order goes again.
  result<void> forget_learned(const toc_id& id);
  /// The order to deliver in: the learned one, else the guessed one, else an empty one.
  result<stored_order> order(const toc_id& id) const;
  /// Of that kind, or nothing.
  result<std::optional<stored_order>> order(const toc_id& id, order_kind kind) const;

 private:
  image_catalogue(std::filesystem::path folder, database& metadata, const catalogue_limits& limits);
  using toc_pointer = std::shared_ptr<const toc_view>;
  template <class Visit>
  result<void> for_each(Visit visit) const;
  result<void> write(const image_record& record);
  using dated_tocs = std::vector<std::pair<std::filesystem::file_time_type, toc_id>>;
  [[nodiscard]] result<dated_tocs> unnamed() const;
  result<std::uint32_t> forget_tocs(const dated_tocs& tocs);
  void forget_toc(const toc_id& id);
  void drop_old_patches() const;
  [[nodiscard]] result<std::shared_ptr<const toc_view>> map_tree(const toc_id& id) const;
  [[nodiscard]] toc_pointer find_open(const toc_id& id) const;
  void keep_open(const toc_id& id, const toc_pointer& toc) const;

  std::filesystem::path folder_;
  database& metadata_;
  catalogue_limits limits_;
  std::mutex records_mutex_;  // of who reads a record to write it
  mutable std::mutex mutex_;  // guards the following
  mutable std::unordered_map<toc_id, std::weak_ptr<const toc_view>> open_;
  mutable std::deque<toc_pointer> recent_;  // the latest first
};

}  // namespace firstlight
