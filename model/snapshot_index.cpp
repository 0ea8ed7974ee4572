#include "model/snapshot_index.hpp"

#include <algorithm>

namespace firstlight {
namespace {

constexpr std::string_view label_prefix = "labels.";
constexpr const char* target_label = "containerd.io/snapshot.ref";

tl::unexpected<error> unknown(const std::string& name) {
  return fail(errc::not_found, "snapshot " + name + " does not exist");
}
tl::unexpected<error> taken(const std::string& name) {
  return fail(errc::already_exists, "snapshot " + name + " exists already");
}

/// By this label containerd looks for what it was told to exist (labelled_layer.hpp).
void keep_target(snapshot_record& record) {
  if (record.remote) record.labels[target_label] = record.name.substr(0, record.name.find('~'));
}

}  // namespace

std::vector<snapshot_record> snapshot_index::load(std::vector<snapshot_record> records) {
  std::multimap<std::string, snapshot_record> waiting;  // by parent
  for (auto& record : records) {
    skip_ids(record.id);
    waiting.emplace(record.parent, std::move(record));
  }
  std::vector<snapshot_record> refused;
  std::vector<std::string> parents{std::string{}};  // whose children can be taken; all begin without one
  while (!parents.empty()) {
    const auto [first, last] = waiting.equal_range(parents.back());
    parents.pop_back();
    for (auto at = first; at != last; ++at) {
      const auto& record = at->second;
      if (by_name_.contains(record.name)) {
        refused.push_back(record);
        continue;
      }
      if (record.kind == snapshot_kind::committed) parents.push_back(record.name);
      apply({record});
    }
    waiting.erase(first, last);
  }
  for (auto& [parent, record] : waiting) refused.push_back(std::move(record));
  return refused;
}

result<void> snapshot_index::check_name(const std::string& name) const {
  if (name.empty() || name.size() > bounds_.name_bytes_max)
    return fail(errc::invalid_argument,
                "a snapshot's name has 1 to " + std::to_string(bounds_.name_bytes_max) + " bytes");
  if (by_name_.contains(name)) return taken(name);
  return {};
}

result<void> snapshot_index::clean_labels(snapshot_labels& labels) const {
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  if (labels.size() > bounds_.labels_max)
    return fail(errc::limit_exceeded,
                "labels_max: a snapshot has at most " + std::to_string(bounds_.labels_max) + " labels");
  for (const auto& [key, value] : labels)
    if (key.size() + value.size() > bounds_.label_bytes_max)
      return fail(errc::invalid_argument, "label_bytes_max: label " + key.substr(0, 64) + " has more than " +
                                              std::to_string(bounds_.label_bytes_max) + " bytes");
  return {};
}

result<void> snapshot_index::check_new(const new_snapshot& wanted) const {
  if (auto valid = check_name(wanted.name); !valid) return valid;
  if (by_name_.size() >= bounds_.snapshots_max)
    return fail(errc::limit_exceeded, "snapshots_max: there are too many snapshots; remove some");
  if (wanted.parent.empty()) return {};
  const auto parent = find(wanted.parent);
  if (!parent) return fail(errc::not_found, "parent snapshot " + wanted.parent + " does not exist");
  if (parent->kind != snapshot_kind::committed)
    return fail(errc::invalid_argument, "parent snapshot " + wanted.parent + " is not committed");
  return check_height(wanted.name, *parent);
}

result<void> snapshot_index::check_height(const std::string& name, const snapshot_record& parent) const {
  if (parents(parent).size() + 2 > bounds_.chain_max)
    return fail(errc::limit_exceeded, "chain_max: snapshot " + name + " has too many parents");
  return {};
}

result<snapshot_change> snapshot_index::make(snapshot_kind kind, new_snapshot wanted,
                                             std::int64_t now_ns) const {
  if (auto valid = check_new(wanted); !valid) return tl::unexpected(valid.error());
  if (auto valid = clean_labels(wanted.labels); !valid) return tl::unexpected(valid.error());
  return snapshot_change{{.id = next_id_,
                          .name = std::move(wanted.name),
                          .parent = std::move(wanted.parent),
                          .kind = kind,
                          .labels = std::move(wanted.labels),
                          .created_at_ns = now_ns,
                          .updated_at_ns = now_ns}};
}

result<snapshot_change> snapshot_index::make_remote(new_snapshot wanted, remote_layers what,
                                                    std::int64_t now_ns) const {
  if (find_remote(wanted.name, wanted.parent)) return taken(wanted.name);
  if (by_name_.contains(wanted.name)) wanted.name = name_above(wanted.name, wanted.parent);
  auto made = make(snapshot_kind::committed, std::move(wanted), now_ns);
  if (made) made->put.remote = std::move(what);
  return made;
}

result<void> snapshot_index::rebase(snapshot_record& active, const std::string& parent) const {
  if (parent.empty() || parent == active.parent) return {};
  if (!active.parent.empty())
    return fail(errc::invalid_argument, "snapshot " + active.name + " has the parent " + active.parent +
                                            ", which a commit cannot change");
  const auto found = find(parent);
  if (!found) return fail(errc::not_found, "parent snapshot " + parent + " does not exist");
  if (found->kind != snapshot_kind::committed)
    return fail(errc::failed_precondition, "parent snapshot " + parent + " is not committed");
  active.parent = parent;
  return check_height(active.name, *found);
}

result<snapshot_change> snapshot_index::commit(snapshot_commit wanted, snapshot_usage usage,
                                               std::int64_t now_ns) const {
  if (auto valid = check_name(wanted.name); !valid) return tl::unexpected(valid.error());
  auto record = find(wanted.key);
  if (!record) return tl::unexpected(record.error());
  if (wanted.measured.value_or(record->id) != record->id) return unknown(wanted.key);
  if (record->kind != snapshot_kind::active)
    return fail(errc::failed_precondition,
                "snapshot " + wanted.key + " is not active, so it cannot be committed");
  if (auto valid = rebase(*record, wanted.parent); !valid) return tl::unexpected(valid.error());
  if (auto valid = clean_labels(wanted.labels); !valid) return tl::unexpected(valid.error());
  record->name = std::move(wanted.name);
  record->kind = snapshot_kind::committed;
  record->labels = std::move(wanted.labels);
  record->created_at_ns = record->updated_at_ns = now_ns;
  record->usage = usage;
  return snapshot_change{std::move(*record), std::move(wanted.key)};
}

result<snapshot_record> snapshot_index::remove(const std::string& name) const {
  const auto children = children_.find(name);
  if (children != children_.end())
    return fail(errc::failed_precondition, "snapshot " + name + " is the parent of " +
                                               *children->second.begin() + "; remove that first");
  return find(name);
}

result<snapshot_change> snapshot_index::update(const std::string& name, const snapshot_labels& labels,
                                               const std::vector<std::string>& fields,
                                               std::int64_t now_ns) const {
  auto record = find(name);
  if (!record) return tl::unexpected(record.error());
  if (fields.empty()) record->labels = labels;
  for (const auto& field : fields) {
    if (field == "labels") {
      record->labels = labels;
    } else if (field.starts_with(label_prefix)) {
      const auto key = field.substr(label_prefix.size());
      const auto given = labels.find(key);
      record->labels[key] = given == labels.end() ? std::string{} : given->second;
    } else {
      return fail(errc::invalid_argument,
                  "field " + field + " of snapshot " + name + " cannot be updated, only labels");
    }
  }
  keep_target(*record);
  if (auto valid = clean_labels(record->labels); !valid) return tl::unexpected(valid.error());
  record->updated_at_ns = now_ns;
  return snapshot_change{std::move(*record)};
}

result<snapshot_record> snapshot_index::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? result<snapshot_record>(unknown(name)) : found->second;
}

std::string snapshot_index::name_above(const std::string& chain_id, const std::string& parent) const {
  const auto found = by_name_.find(parent);
  return chain_id + "~" + std::to_string(found == by_name_.end() ? 0 : found->second.id);
}

result<snapshot_record> snapshot_index::find_remote(const std::string& chain_id,
                                                    const std::string& parent) const {
  for (const auto& name : {chain_id, name_above(chain_id, parent)}) {
    auto record = find(name);
    if (record && record->remote && record->parent == parent) return record;
  }
  return unknown(chain_id + " of the hub above " + (parent.empty() ? "nothing" : parent));
}

result<snapshot_record> snapshot_index::find_mountable(const std::string& name) const {
  auto record = find(name);
  if (record && record->kind == snapshot_kind::committed)
    return fail(errc::failed_precondition, "snapshot " + name + " is committed: prepare or view it first");
  return record;
}

std::vector<snapshot_record> snapshot_index::parents(const snapshot_record& of) const {
  std::vector<snapshot_record> chain;
  for (auto at = by_name_.find(of.parent); at != by_name_.end(); at = by_name_.find(at->second.parent))
    chain.push_back(at->second);
  return chain;
}

void snapshot_index::each(const std::function<void(const snapshot_record&)>& visit) const {
  for (const auto& [name, record] : by_name_) visit(record);
}

void snapshot_index::apply(const snapshot_change& change) {
  if (!change.erased.empty()) erase(change.erased);
  next_id_ = std::max(next_id_, change.put.id + 1);
  if (!change.put.parent.empty()) children_[change.put.parent].insert(change.put.name);
  by_name_.insert_or_assign(change.put.name, change.put);
}

void snapshot_index::erase(const std::string& name) {
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return;
  if (const auto siblings = children_.find(at->second.parent); siblings != children_.end()) {
    siblings->second.erase(name);
    if (siblings->second.empty()) children_.erase(siblings);
  }
  by_name_.erase(at);
}

}  // namespace firstlight
