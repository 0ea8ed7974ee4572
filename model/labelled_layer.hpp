#pragma once
#include "model/image_reference.hpp"
#include "model/snapshot_record.hpp"

namespace firstlight {

/// The layer that containerd is about to unpack into a snapshot, as its labels say.
struct labelled_layer {
  std::string target;              ///< the name of the committed snapshot that is to come: a chain id
  std::string reference;           ///< of its image, canonical
  std::optional<digest> manifest;  ///< of its image; if known, `reference` is pinned to it
};

/// Reads what containerd's CRI service, `ctr-remote` and `firstlight pull --containerd` write. Nothing for a
/// snapshot that is not made for a layer of a named image, or that names it in a way that cannot be read.
[[nodiscard]] std::optional<labelled_layer> labelled_layer_of(const snapshot_labels& labels);

/// The labels by which `firstlight pull --containerd` says the same.
[[nodiscard]] snapshot_labels labels_of(const labelled_layer& layer);

/// The group of what is started together with the container of a snapshot, as the snapshot's label
/// `containerd.io/snapshot/firstlight.group` names it. Empty: it is of none.
[[nodiscard]] std::string start_group_of(const snapshot_labels& labels);

/// Whether a snapshot is called as one that shows all layers up to this chain id: by the hub's layers' names
/// (snapshot_index::make_remote), or as containerd calls what it has unpacked, NAMESPACE/NUMBER/CHAIN.
[[nodiscard]] bool is_called(const snapshot_record& snapshot, const std::string& chain_id);

/// The same image whatever its tag will mean. Nothing for what is no reference to a registry.
[[nodiscard]] std::optional<std::string> pinned_reference(const std::string& reference,
                                                          const digest& manifest);

}  // namespace firstlight
