#pragma once
#include <map>
#include <memory>
#include <string>

#include "config/containerd_options.hpp"
#include "model/labelled_layer.hpp"

namespace firstlight {

/// A blob for containerd's content store.
struct containerd_blob {
  std::string media_type;
  digest id;
  std::string bytes;
  std::map<std::string, std::string> labels;  ///< what garbage collection keeps with it
};

/// CONTAINERD CLIENT: calls containerd in one of its namespaces, under a lease: what is made stays until the
/// lease ends, even if nothing refers to it yet. Calls block for at most `call_timeout` each. One thread.
/// Errors of all calls: `unavailable` when containerd does not answer on its socket, else what it answered.
class containerd_client {
 public:
  /// Connects and takes a lease, which containerd ends by itself after an hour.
  [[nodiscard]] static result<std::unique_ptr<containerd_client>> open(const containerd_options& options,
                                                                       const std::string& space);
  /// Ends the lease.
  ~containerd_client();
  containerd_client(const containerd_client&) = delete;
  containerd_client& operator=(const containerd_client&) = delete;

  /// Stores a blob; one that is there gets the labels.
  result<void> put(const containerd_blob& blob);
  /// Has a layer's committed snapshot made above `parent` without unpacking anything; again is no error.
  /// Errors: `unavailable` if the snapshotter would need its contents.
  result<void> prepare_layer(const labelled_layer& layer, const std::string& parent);
  /// The name means this manifest from now on.
  result<void> name_image(const std::string& name, const containerd_blob& manifest);

 private:
  struct impl;
  explicit containerd_client(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
