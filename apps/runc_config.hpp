#pragma once
#include <string>

#include "model/process_spec.hpp"

namespace firstlight {

enum class network_kind { host, none };

/// Everything of a container that is not its process.
struct container_spec {
  std::string root;        ///< absolute path of the mounted image
  bool read_only = false;  ///< root
  bool terminal = false;
  std::string hostname;  ///< of a container with a network of its own
  network_kind network = network_kind::host;
};

/// The config.json of an OCI runtime bundle: the capabilities, mounts, masked paths and namespaces that
/// Docker and containerd give by default. Pure. Errors: `invalid_argument` for a text that is not UTF-8, as
/// all of it must be.
[[nodiscard]] result<std::string> runc_config(const process_spec& process, const container_spec& container);

}  // namespace firstlight
