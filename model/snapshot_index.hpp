#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "model/snapshot_record.hpp"

namespace firstlight {

/// A snapshot to make.
struct new_snapshot {
  std::string name;
  std::string parent;  ///< empty: none
  snapshot_labels labels;
};

/// A commit: the active snapshot `key` becomes the committed one `name`, with these labels and no others.
struct snapshot_commit {
  std::string name;
  std::string key;
  snapshot_labels labels;
  std::string parent{};  ///< for one that was made without a parent; empty: as it is
  /// Of the snapshot whose files have been measured: one that has its key by now is another. None: none have.
  std::optional<std::uint64_t> measured{};
};

/// What one call changes: `put` is added or replaced, then `erased` is forgotten. Store it, then apply it.
struct snapshot_change {
  snapshot_record put;
  std::string erased{};  ///< a name; empty: none
};

/// Bounds of what callers may ask; the values are config/snapshot_limits.hpp's.
struct snapshot_bounds {
  std::uint32_t snapshots_max = 0;
  std::uint32_t name_bytes_max = 0;
  std::uint32_t labels_max = 0;
  std::uint32_t label_bytes_max = 0;
  std::uint32_t chain_max = 0;
};

/// SNAPSHOT INDEX: all snapshots of a node by name, and the rules of containerd's snapshotters. Calls that
/// ask for a change check it and say what it would be; `apply` makes it. One thread. Invariant: each parent
/// is there and committed. A snapshot in the wrong state is `failed_precondition`; a new name that is empty
/// or too long, and a label that is too long, are `invalid_argument`; too many of anything is
/// `limit_exceeded`.
class snapshot_index {
 public:
  explicit snapshot_index(const snapshot_bounds& bounds) : bounds_(bounds) {}

  /// Takes stored records in, in any order. @returns those that it cannot take: their parent is missing, not
  /// committed or not taken itself, or their name is taken. New snapshots get other ids than these, too.
  [[nodiscard]] std::vector<snapshot_record> load(std::vector<snapshot_record> records);
  /// New snapshots get ids above this one.
  void skip_ids(std::uint64_t up_to) { next_id_ = std::max(next_id_, up_to + 1); }

  /// A snapshot that is written to (active) or only looked at (view). Errors: `already_exists`, `not_found`
  /// for the parent, `invalid_argument` also for a parent that is not committed, `limit_exceeded`.
  [[nodiscard]] result<snapshot_change> make(snapshot_kind kind, new_snapshot wanted,
                                             std::int64_t now_ns) const;

  /// A committed snapshot without files: the layers, named by their chain id, of an image that the hub
  /// delivers. If the name is taken, by what stands above another parent, this one has the parent's id behind
  /// it: `CHAIN~ID`. Errors: as `make`; `already_exists` if `find_remote` finds it.
  [[nodiscard]] result<snapshot_change> make_remote(new_snapshot wanted, remote_layers what,
                                                    std::int64_t now_ns) const;

  /// Errors: `already_exists`; `not_found` for the key, also if another one has been measured, or the parent;
  /// `failed_precondition` if it is not active or the parent not committed, `invalid_argument` also if it has
  /// another parent, `limit_exceeded`.
  [[nodiscard]] result<snapshot_change> commit(snapshot_commit wanted, snapshot_usage usage,
                                               std::int64_t now_ns) const;

  /// Errors: `not_found`, `failed_precondition` while others have it as their parent.
  [[nodiscard]] result<snapshot_record> remove(const std::string& name) const;

  /// Replaces labels: all, or only those that `fields` name ("labels", "labels.KEY"); an empty value removes
  /// one. Layers of `make_remote` keep the one that names their chain id: containerd finds them by it.
  /// Errors: `not_found`, `invalid_argument` also for another field, `limit_exceeded`.
  [[nodiscard]] result<snapshot_change> update(const std::string& name, const snapshot_labels& labels,
                                               const std::vector<std::string>& fields,
                                               std::int64_t now_ns) const;

  /// Errors: `not_found`.
  [[nodiscard]] result<snapshot_record> find(const std::string& name) const;
  /// The layers of this chain id that `make_remote` has made above this parent. Errors: `not_found`.
  [[nodiscard]] result<snapshot_record> find_remote(const std::string& chain_id,
                                                    const std::string& parent) const;
  /// An active or viewed one, which can be mounted. Errors: `not_found`, `failed_precondition`.
  [[nodiscard]] result<snapshot_record> find_mountable(const std::string& name) const;
  /// Its parent, that one's parent, and so on.
  [[nodiscard]] std::vector<snapshot_record> parents(const snapshot_record& of) const;
  /// All, by name.
  void each(const std::function<void(const snapshot_record&)>& visit) const;
  [[nodiscard]] std::size_t size() const { return by_name_.size(); }

  void apply(const snapshot_change& change);
  void erase(const std::string& name);

 private:
  [[nodiscard]] result<void> check_new(const new_snapshot& wanted) const;
  [[nodiscard]] result<void> check_name(const std::string& name) const;
  [[nodiscard]] std::string name_above(const std::string& chain_id, const std::string& parent) const;
  [[nodiscard]] result<void> check_height(const std::string& name, const snapshot_record& parent) const;
  [[nodiscard]] result<void> rebase(snapshot_record& active, const std::string& parent) const;
  [[nodiscard]] result<void> clean_labels(snapshot_labels& labels) const;

  snapshot_bounds bounds_;
  std::map<std::string, snapshot_record> by_name_;
  std::map<std::string, std::set<std::string>> children_;  // names, by parent
  std::uint64_t next_id_ = 1;
};

}  // namespace firstlight
