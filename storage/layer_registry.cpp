#include "storage/layer_registry.hpp"

#include <algorithm>
#include <charconv>

#include "schemas/registered_layer.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

constexpr table layers_table{"layer"};
constexpr table counters_table{"layer-next"};  // "" for ids, else by prefix: the next number
constexpr std::string_view id_counter;

/// Big-endian, so that a scan gives layers by id.
std::string id_key(layer_id id) {
  std::string key(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(id.value >> (56U - 8U * i) & 0xffU);
  return key;
}

std::uint64_t id_in(std::string_view key) {
  std::uint64_t id = 0;
  for (const auto byte : key) id = id << 8U | static_cast<unsigned char>(byte);
  return id;
}

/// Whether a path has only plain parts: no "..", ".", empty ones or NUL.
bool is_plain(const std::filesystem::path& path) {
  const auto& text = path.native();
  if (text.empty() || text.back() == '/' || text.find('\0') != std::string::npos ||
      text.find("//") != std::string::npos)
    return false;
  return std::none_of(path.begin(), path.end(), [](const auto& part) { return part == "." || part == ".."; });
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

result<void> check_labels(std::vector<layer_label>& labels, const layer_limits& limits) {
  if (labels.size() > limits.labels_max) return fail(errc::limit_exceeded, "a layer has too many labels");
  std::sort(labels.begin(), labels.end());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].first.size() + labels[i].second.size() > limits.label_bytes_max)
      return fail(errc::limit_exceeded, "label " + labels[i].first + " is too long");
    if (i > 0 && labels[i].first == labels[i - 1].first)
      return fail(errc::invalid_argument, "label " + labels[i].first + " is given twice");
  }
  return {};
}

std::string_view as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

tl::unexpected<error> unknown(layer_id id) {
  return fail(errc::not_found, "layer " + std::to_string(id.value) + " is not registered");
}

}  // namespace

layer_registry::layer_registry(std::filesystem::path store, database& metadata, const layer_limits& limits)
    : store_(std::move(store)), layers_(store_ / "layers"), metadata_(metadata), limits_(limits) {}

result<std::unique_ptr<layer_registry>> layer_registry::open(std::filesystem::path store, database& metadata,
                                                             const layer_limits& limits) {
  std::error_code failure;
  auto whole = std::filesystem::absolute(store, failure).lexically_normal();
  if (failure) return tl::make_unexpected(from_errno(failure.value(), store.string()));
  std::unique_ptr<layer_registry> registry(new layer_registry(std::move(whole), metadata, limits));
  if (auto loaded = registry->load(); !loaded) return tl::make_unexpected(loaded.error());
  return registry;
}

result<void> layer_registry::load() {
  if (auto made = make_folders(layers_); !made) return made;
  auto scanned = metadata_.scan(layers_table, {}, [&](std::string_view key, std::string_view value) {
    auto record = decode_layer_record(std::as_bytes(std::span(value)));
    next_id_ = std::max(next_id_, id_in(key) + 1);
    if (!record) {
      unreadable_.push_back({"layer " + std::to_string(id_in(key)), record.error().detail});
      unreadable_at_.push_back({layers_table, std::string(key)});
      return scan_step::next;
    }
    by_name_[record->name] = record->id.value;
    by_path_[record->path] = record->id.value;
    by_id_[record->id.value] = std::move(*record);
    return scan_step::next;
  });
  if (!scanned) return scanned;
  return metadata_.scan(counters_table, {}, [&](std::string_view key, std::string_view value) {
    std::uint64_t next = 0;
    if (std::from_chars(value.data(), value.data() + value.size(), next).ec != std::errc()) {
      unreadable_.push_back({"the counter of layers " + std::string(key), "it is no number"});
      unreadable_at_.push_back({counters_table, std::string(key)});
    } else if (key == id_counter) {
      next_id_ = std::max(next_id_, next);
    } else {
      next_index_[std::string(key)] = next;
    }
    return scan_step::next;
  });
}

/// A folder that is there may be of a layer whose record could not be read, also one of before.
bool layer_registry::is_taken(const std::string& place) const {
  const auto path = layers_ / place;
  std::error_code ignored;
  return by_path_.contains(path.string()) || std::filesystem::exists(path, ignored);
}

std::vector<unreadable_record> layer_registry::unreadable() const {
  const std::scoped_lock guard(lock_);
  return unreadable_;
}

std::filesystem::path layer_registry::unclaimed_folder() const {
  std::filesystem::path only;
  std::error_code ignored;
  for (const auto& child : std::filesystem::directory_iterator(layers_, ignored)) {
    const auto& path = child.path().native();
    const auto below = by_path_.lower_bound(path + "/");
    if (by_path_.contains(path) || (below != by_path_.end() && is_below(below->first, path))) continue;
    if (!only.empty()) return layers_;
    only = child.path();
  }
  return only;
}

result<std::filesystem::path> layer_registry::forget_unreadable(std::string_view name) {
  const std::scoped_lock guard(lock_);
  const auto* const record = find_unreadable(unreadable_, name);
  if (record == nullptr) return fail(errc::not_found, "no layer " + std::string(name) + " is damaged");
  const auto at = record - unreadable_.data();
  const auto [where, key] = unreadable_at_[static_cast<std::size_t>(at)];
  const bool counter = where.name == counters_table.name;
  const auto next = key == id_counter ? next_id_ : counter ? next_index_[key] : 0;
  const auto done = counter ? metadata_.put(where, key, std::to_string(next), durability::synced)
                            : metadata_.erase(where, key, durability::synced);
  if (!done) return tl::make_unexpected(done.error());
  unreadable_.erase(unreadable_.begin() + at);
  unreadable_at_.erase(unreadable_at_.begin() + at);
  return counter ? std::filesystem::path() : unclaimed_folder();
}

result<std::string> layer_registry::place_for(const layer_placement& place) {
  struct visitor {
    layer_registry& self;
    result<std::string> operator()(const automatic_place&) const {
      while (self.is_taken(std::to_string(self.next_id_))) ++self.next_id_;
      return std::to_string(self.next_id_);
    }
    result<std::string> operator()(const indexed_place& at) const {
      if (!is_plain(at.prefix) || at.prefix.find('/') != std::string::npos)
        return fail(errc::invalid_argument, "a layer's prefix is one plain name, not " + at.prefix);
      // A relative place may have taken a path of this form.
      auto& next = self.next_index_[at.prefix];
      while (self.is_taken(at.prefix + "-" + std::to_string(next))) ++next;
      return at.prefix + "-" + std::to_string(next);
    }
    result<std::string> operator()(const relative_place& at) const {
      if (at.path.is_absolute() || !is_plain(at.path))
        return fail(errc::invalid_argument,
                    "a layer's relative path stays in the store, unlike " + at.path.string());
      return at.path.string();
    }
    result<std::string> operator()(const absolute_place& at) const {
      if (!at.path.is_absolute() || !is_plain(at.path))
        return fail(errc::invalid_argument, "not a plain absolute path: " + at.path.string());
      if (is_below(at.path.string(), self.store_.string()) ||
          is_below(self.store_.string(), at.path.string()) || at.path == self.store_)
        return fail(errc::invalid_argument,
                    "an absolute place lies apart from the store: " + at.path.string());
      return at.path.string();
    }
  };
  return std::visit(visitor{*this}, place);
}

result<void> layer_registry::check_free(const std::string& name, const std::filesystem::path& path) const {
  const auto& text = path.native();
  if (by_name_.contains(name) || by_path_.contains(text))
    return fail(errc::already_exists, "layer " + name + " is registered already");
  // One inside the other: removing the outer one would remove the inner one's files.
  const auto below = by_path_.lower_bound(text + "/");
  if (below != by_path_.end() && is_below(below->first, text))
    return fail(errc::already_exists, "layer " + below->first + " lies in " + name);
  for (auto above = path.parent_path(); above != above.parent_path(); above = above.parent_path())
    if (by_path_.contains(above.native()))
      return fail(errc::already_exists, name + " lies in layer " + above.native());
  return {};
}

result<layer_record> layer_registry::add(const new_layer& layer) {
  const std::scoped_lock guard(lock_);
  if (by_id_.size() >= limits_.layers_max)
    return fail(errc::limit_exceeded, "there are too many layers (layers_max)");
  const auto place = place_for(layer.place);
  if (!place) return tl::make_unexpected(place.error());
  layer_record record;
  record.id = {next_id_};
  record.name = layer.name.empty() ? *place : layer.name;
  record.path = (layers_ / *place).string();
  record.access = layer.access;
  record.progress = layer.progress;
  record.toc = layer.toc;
  record.labels = layer.labels;
  record.created_at = record.used_at = layer.now;
  if (record.name.size() > limits_.name_bytes_max)
    return fail(errc::limit_exceeded, "the layer's name is too long: " + record.name);
  if (auto checked = check_labels(record.labels, limits_); !checked)
    return tl::make_unexpected(checked.error());
  if (auto free = check_free(record.name, record.path); !free) return tl::make_unexpected(free.error());
  return insert(std::move(record), layer.place);
}

result<layer_record> layer_registry::insert(layer_record layer, const layer_placement& place) {
  if (std::holds_alternative<absolute_place>(place)) {
    std::error_code failure;
    if (!std::filesystem::is_directory(std::filesystem::path(layer.path).parent_path(), failure))
      return fail(errc::invalid_argument, "the folder above " + layer.path + " does not exist");
  }
  if (auto made = make_folders(layer.path); !made) return tl::make_unexpected(made.error());
  write_batch batch;
  batch.put(layers_table, id_key(layer.id), as_text(encode_layer_record(layer)));
  batch.put(counters_table, id_counter, std::to_string(next_id_ + 1));
  const auto* indexed = std::get_if<indexed_place>(&place);
  if (indexed != nullptr)
    batch.put(counters_table, indexed->prefix, std::to_string(next_index_[indexed->prefix] + 1));
  if (auto written = metadata_.write(batch, durability::synced); !written)
    return tl::make_unexpected(written.error());
  ++next_id_;
  if (indexed != nullptr) ++next_index_[indexed->prefix];
  by_name_[layer.name] = layer.id.value;
  by_path_[layer.path] = layer.id.value;
  by_id_[layer.id.value] = layer;
  return layer;
}

std::optional<layer_record> layer_registry::find(layer_id id) const {
  const std::scoped_lock guard(lock_);
  const auto at = by_id_.find(id.value);
  return at == by_id_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<layer_record> layer_registry::find_name(std::string_view name) const {
  const std::scoped_lock guard(lock_);
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? std::nullopt : std::optional(by_id_.at(at->second));
}

std::optional<layer_record> layer_registry::find_path(const std::filesystem::path& path) const {
  const std::scoped_lock guard(lock_);
  const auto at = by_path_.find(path.lexically_normal().string());
  return at == by_path_.end() ? std::nullopt : std::optional(by_id_.at(at->second));
}

std::vector<layer_record> layer_registry::list() const {
  const std::scoped_lock guard(lock_);
  std::vector<layer_record> all;
  for (const auto& [id, record] : by_id_) all.push_back(record);
  return all;
}

template <class Change>
result<layer_record> layer_registry::change(layer_id id, durability how, Change apply) {
  const std::scoped_lock guard(lock_);
  const auto at = by_id_.find(id.value);
  if (at == by_id_.end()) return unknown(id);
  auto changed = at->second;
  if (result<void> applied = apply(changed); !applied) return tl::make_unexpected(applied.error());
  if (auto written = metadata_.put(layers_table, id_key(id), as_text(encode_layer_record(changed)), how);
      !written)
    return tl::make_unexpected(written.error());
  return at->second = std::move(changed);
}

result<layer_record> layer_registry::complete(layer_id id, std::int64_t now) {
  return change(id, durability::synced, [&](layer_record& layer) -> result<void> {
    layer.progress = layer_progress::complete;
    layer.used_at = now;
    return {};
  });
}

result<layer_record> layer_registry::acquire(layer_id id, std::int64_t now) {
  return change(id, durability::buffered, [&](layer_record& layer) -> result<void> {
    ++layer.references;
    layer.used_at = now;
    return {};
  });
}

result<layer_record> layer_registry::release(layer_id id, std::int64_t now) {
  return change(id, durability::buffered, [&](layer_record& layer) -> result<void> {
    if (layer.references == 0) return fail(errc::invalid_argument, "layer " + layer.name + " is not in use");
    --layer.references;
    layer.used_at = now;
    return {};
  });
}

result<layer_record> layer_registry::bind(layer_id id, const toc_id& toc) {
  return change(id, durability::buffered, [&](layer_record& layer) -> result<void> {
    layer.toc = toc;
    return {};
  });
}

result<layer_record> layer_registry::set_labels(layer_id id, std::vector<layer_label> labels) {
  return change(id, durability::synced, [&](layer_record& layer) -> result<void> {
    layer.labels = std::move(labels);
    return check_labels(layer.labels, limits_);
  });
}

result<void> layer_registry::remove(layer_id id, layer_files files) {
  const std::scoped_lock guard(lock_);
  const auto at = by_id_.find(id.value);
  if (at == by_id_.end()) return unknown(id);
  const auto& layer = at->second;
  if (layer.references > 0)
    return fail(errc::busy, "layer " + layer.name + " is in use by " + std::to_string(layer.references));
  if (files == layer_files::remove) {
    std::error_code failure;
    std::filesystem::remove_all(layer.path, failure);
    if (failure) return tl::make_unexpected(from_errno(failure.value(), layer.path));
  }
  if (auto erased = metadata_.erase(layers_table, id_key(id), durability::synced); !erased) return erased;
  by_name_.erase(layer.name);
  by_path_.erase(layer.path);
  by_id_.erase(at);
  return {};
}

result<void> layer_registry::forget_references() {
  const std::scoped_lock guard(lock_);
  write_batch batch;
  for (auto& [id, layer] : by_id_) {
    if (layer.references == 0) continue;
    layer.references = 0;
    batch.put(layers_table, id_key(layer.id), as_text(encode_layer_record(layer)));
  }
  return batch.empty() ? result<void>{} : metadata_.write(batch, durability::synced);
}

}  // namespace firstlight
