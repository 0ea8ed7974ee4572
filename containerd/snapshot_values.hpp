#pragma once
#include "actors/snapshot_messages.hpp"
#include "schemas/containerd/snapshots.pb.h"

/// The values of containerd's API, and ours. Pure.
namespace firstlight {

using labels_field = google::protobuf::Map<std::string, std::string>;

[[nodiscard]] snapshot_labels read_labels(const labels_field& labels);

void write_info(const snapshot_record& record, containerd::services::snapshots::v1::Info& into);

/// Of a response that has mounts.
template <class Response>
void write_mounts(const snapshot_mount_list& list, Response& into) {
  for (const auto& mount : list.mounts) {
    auto& to = *into.add_mounts();
    to.set_type(mount.type);
    to.set_source(mount.source);
    for (const auto& option : mount.options) to.add_options(option);
  }
}

}  // namespace firstlight
