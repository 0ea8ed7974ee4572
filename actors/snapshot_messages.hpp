#pragma once
#include <caf/all.hpp>
#include <memory>
#include <set>

#include "model/snapshot_mounts.hpp"
#include "schemas/admin_values.hpp"
#include "storage/receive_image.hpp"

/// The messages of the snapshotter and of what tells containerd of images; local like those of messages.hpp.
namespace firstlight {

/// Active or viewed, model/snapshot_index.hpp.
struct make_snapshot {
  snapshot_kind kind = snapshot_kind::active;
  std::string name;
  std::string parent;  ///< empty: none
  snapshot_labels labels;
};
struct mount_snapshot {
  std::string name;
};
struct snapshot_mount_list {
  std::vector<mount_spec> mounts;
};
struct commit_snapshot {
  std::string name;  ///< of the committed one
  std::string key;   ///< of the active one
  snapshot_labels labels;
  std::string parent;  ///< of one that has none yet; empty: as it is
};
struct remove_snapshot {
  std::string name;
};
struct find_snapshot {
  std::string name;
};
struct update_snapshot {
  std::string name;
  snapshot_labels labels;
  std::vector<std::string> fields;  ///< empty: all labels
};
struct list_snapshots {
  std::vector<std::string> filters;  ///< containerd's; those that any of them matches; empty: all
};
struct snapshot_list {
  std::vector<snapshot_record> snapshots;  ///< by name
};
struct measure_snapshot {
  std::string name;
};
/// Removes files that no snapshot has.
struct clean_snapshots {};
struct snapshots_cleaned {};

/// What is stored of a snapshot that is not served (snapshot_records::unserved).
struct forget_snapshot_record {
  std::string name;  ///< or as `status` shows it
};

/// How the snapshotter comes along, for `status`.
struct snapshot_news {
  admin_snapshots now;
  std::string damage{};  ///< a notice of snapshots that are not served; empty: all are
  /// Of the images that snapshots hold, served or not.
  std::shared_ptr<const std::set<digest>> manifests{};
};

/// An image that containerd is to know.
struct register_image {
  std::string reference;  ///< as containerd names it
  std::string space;      ///< containerd's namespace
  mountable_image image;
};
struct image_registered {};

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::make_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::mount_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::snapshot_mount_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::commit_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::remove_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::find_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::update_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::list_snapshots)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::snapshot_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::measure_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::clean_snapshots)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::snapshots_cleaned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::forget_snapshot_record)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::snapshot_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::snapshot_record)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::snapshot_usage)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::register_image)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::image_registered)
