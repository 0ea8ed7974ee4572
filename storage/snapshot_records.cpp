#include "storage/snapshot_records.hpp"

#include "schemas/snapshot_codec.hpp"

namespace firstlight {
namespace {

constexpr table snapshots_table{"snapshot"};

std::string_view as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

snapshot_records::snapshot_records(database& metadata, const snapshot_limits& limits)
    : metadata_(&metadata),
      index_({limits.snapshots_max, limits.name_bytes_max, limits.labels_max, limits.label_bytes_max,
              limits.chain_max}) {}

result<snapshot_records> snapshot_records::open(database& metadata, const snapshot_limits& limits) {
  snapshot_records opened(metadata, limits);
  std::vector<snapshot_record> stored;
  const auto scanned = metadata.scan(snapshots_table, {}, [&](std::string_view key, std::string_view value) {
    auto record = decode_snapshot(std::as_bytes(std::span(value)));
    if (record && record->name == key) {
      stored.push_back(std::move(*record));
    } else {
      opened.undecodable_.emplace(key);
      opened.unserved_.push_back(
          {std::string(key), record ? "it is the record of another one" : record.error().detail});
    }
    return scan_step::next;
  });
  if (!scanned) return fail(scanned.error(), "containerd's snapshots");
  for (auto& record : opened.index_.load(std::move(stored))) {
    opened.unserved_.push_back({record.name, "its parent " + record.parent + " cannot be served"});
    opened.refused_.emplace(record.name, std::move(record));
  }
  return opened;
}

result<snapshot_record> snapshot_records::apply(const result<snapshot_change>& change) {
  if (!change) return tl::unexpected(change.error());
  write_batch batch;
  if (!change->erased.empty()) batch.erase(snapshots_table, change->erased);
  batch.put(snapshots_table, change->put.name, as_text(encode_snapshot(change->put)));
  if (auto written = metadata_->write(batch, durability::synced); !written)
    return tl::unexpected(written.error());
  index_.apply(*change);
  no_more_unserved(change->put.name);
  return change->put;
}

result<snapshot_record> snapshot_records::remove(const result<snapshot_record>& allowed) {
  if (!allowed) return allowed;
  if (auto erased = metadata_->erase(snapshots_table, allowed->name, durability::synced); !erased)
    return tl::unexpected(erased.error());
  index_.erase(allowed->name);
  return allowed;
}

result<void> snapshot_records::drop(const std::string& name) {
  if (!undecodable_.contains(name) && !refused_.contains(name))
    return fail(errc::not_found, "no snapshot " + name + " is damaged");
  if (auto erased = metadata_->erase(snapshots_table, name, durability::synced); !erased) return erased;
  no_more_unserved(name);
  return {};
}

void snapshot_records::no_more_unserved(const std::string& name) {
  undecodable_.erase(name);
  refused_.erase(name);
  std::erase_if(unserved_, [&](const auto& record) { return record.name == name; });
}

}  // namespace firstlight
