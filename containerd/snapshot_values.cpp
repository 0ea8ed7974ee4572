#include "containerd/snapshot_values.hpp"

namespace firstlight {
namespace {

namespace api = containerd::services::snapshots::v1;

constexpr std::int64_t second_ns = 1'000'000'000;

void write_time(std::int64_t at_ns, google::protobuf::Timestamp& into) {
  into.set_seconds(at_ns / second_ns);
  into.set_nanos(static_cast<std::int32_t>(at_ns % second_ns));
}

api::Kind kind_of(snapshot_kind kind) {
  switch (kind) {
    case snapshot_kind::view:
      return api::VIEW;
    case snapshot_kind::active:
      return api::ACTIVE;
    case snapshot_kind::committed:
      return api::COMMITTED;
  }
  return api::UNKNOWN;
}

}  // namespace

snapshot_labels read_labels(const labels_field& labels) {
  return {labels.begin(), labels.end()};
}

void write_info(const snapshot_record& record, api::Info& into) {
  into.set_name(record.name);
  into.set_parent(record.parent);
  into.set_kind(kind_of(record.kind));
  write_time(record.created_at_ns, *into.mutable_created_at());
  write_time(record.updated_at_ns, *into.mutable_updated_at());
  into.mutable_labels()->insert(record.labels.begin(), record.labels.end());
}

}  // namespace firstlight
