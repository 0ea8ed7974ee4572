#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "config/store_limits.hpp"
#include "model/layer_record.hpp"
#include "model/unreadable_record.hpp"
#include "storage/database.hpp"

namespace firstlight {

// Where a layer's files stand.
/// `layers/<id>` in the store.
struct automatic_place {};
/// `layers/<prefix>-<index>` in the store, with the lowest index that was never used for this prefix.
struct indexed_place {
  std::string prefix;
};
/// A path below the store's `layers/`, e.g. "images/redis/upper".
struct relative_place {
  std::filesystem::path path;
};
/// A path outside the store, as it is. Its folder belongs to someone else until it is registered.
struct absolute_place {
  std::filesystem::path path;
};
using layer_placement = std::variant<automatic_place, indexed_place, relative_place, absolute_place>;

enum class layer_files : std::uint8_t { keep, remove };

/// A layer to register.
struct new_layer {
  layer_placement place;
  std::string name;  ///< unique; empty: as the place says
  layer_access access = layer_access::read_only;
  layer_progress progress = layer_progress::incomplete;
  std::optional<toc_id> toc;
  std::vector<layer_label> labels;
  std::int64_t now = 0;  ///< seconds since the epoch
};

/// LAYER REGISTRY: which layers a node has and where, kept in the database and, for all look-ups, in
/// memory. Every change but those of the counts, which end with the process, is durable when its call
/// returns. All members from any thread; those that change
/// something write to the disk.
class layer_registry {
 public:
  /// `store` is the folder that holds `layers/`. Errors: `io`.
  static result<std::unique_ptr<layer_registry>> open(std::filesystem::path store, database& metadata,
                                                      const layer_limits& limits = {});

  /// Registers a layer and makes its folder with the parents inside the store; the parent of an absolute
  /// place must exist. A folder that is there already is taken as it is.
  /// Errors: `already_exists` if the name or the path is taken, lies in another layer or has one below;
  /// `invalid_argument` for an empty, escaping ("..") or otherwise odd place; `limit_exceeded`; `io`.
  result<layer_record> add(const new_layer& layer);

  [[nodiscard]] std::optional<layer_record> find(layer_id id) const;
  [[nodiscard]] std::optional<layer_record> find_name(std::string_view name) const;
  [[nodiscard]] std::optional<layer_record> find_path(const std::filesystem::path& path) const;
  /// All, by id.
  [[nodiscard]] std::vector<layer_record> list() const;
  /// What could not be read when this was opened: stored layers that are not registered, and counters.
  /// Records and folders of such layers stay; no automatic or indexed place is one that exists.
  [[nodiscard]] std::vector<unreadable_record> unreadable() const;
  /// Forgets one of those, by its name or as `tell_unreadable` shows that; a counter goes on from where it
  /// is. No files go. @returns where a layer's may be: the only folder in `layers/` that no layer has,
  /// `layers/` if there are several, nothing if there is none. Errors: `not_found`, `io`.
  result<std::filesystem::path> forget_unreadable(std::string_view name);

  /// Marks a layer complete; again is no error. Errors: `not_found`.
  result<layer_record> complete(layer_id id, std::int64_t now);
  /// Counts one more or one less user. `release` below zero is `invalid_argument`. Errors: `not_found`.
  result<layer_record> acquire(layer_id id, std::int64_t now);
  result<layer_record> release(layer_id id, std::int64_t now);
  /// From now on the layer shows this image; durable after `sync`. Errors: `not_found`.
  result<layer_record> bind(layer_id id, const toc_id& toc);
  /// Makes all changes durable. Errors: `io`.
  result<void> sync() { return metadata_.sync(); }
  /// Replaces the labels. Errors: `not_found`, `limit_exceeded`.
  result<layer_record> set_labels(layer_id id, std::vector<layer_label> labels);

  /// Forgets a layer; its files go first if asked, and when some cannot be removed it stays registered.
  /// Errors: `not_found`, `busy` while referenced, `io`.
  result<void> remove(layer_id id, layer_files files);
  /// Sets all counts to zero: what used them ended with the last process.
  result<void> forget_references();

 private:
  struct stored_at {
    table where;
    std::string key;
  };
  layer_registry(std::filesystem::path store, database& metadata, const layer_limits& limits);
  result<void> load();
  result<std::string> place_for(const layer_placement& place);
  [[nodiscard]] bool is_taken(const std::string& place) const;
  [[nodiscard]] std::filesystem::path unclaimed_folder() const;
  result<void> check_free(const std::string& name, const std::filesystem::path& path) const;
  result<layer_record> insert(layer_record layer, const layer_placement& place);
  template <class Change>
  result<layer_record> change(layer_id id, durability how, Change apply);

  std::filesystem::path store_;
  std::filesystem::path layers_;
  database& metadata_;
  layer_limits limits_;
  mutable std::mutex lock_;
  std::map<std::uint64_t, layer_record> by_id_;
  std::map<std::string, std::uint64_t, std::less<>> by_name_;
  std::map<std::string, std::uint64_t> by_path_;
  std::map<std::string, std::uint64_t> next_index_;  // by prefix
  std::uint64_t next_id_ = 1;
  std::vector<unreadable_record> unreadable_;
  std::vector<stored_at> unreadable_at_;  // the same ones
};

}  // namespace firstlight
