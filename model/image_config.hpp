#pragma once
#include <string>
#include <vector>

#include "model/digest.hpp"
#include "model/platform.hpp"

namespace firstlight {

/// What an image says about how to run it, and which layers it is made of.
struct image_config {
  platform target;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;      ///< "Cmd": arguments of the entrypoint, or the command itself
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string user;                      ///< "", "name", "uid", "user:group"
  std::string working_directory;         ///< "" means "/"
  std::vector<digest> diff_ids;          ///< SHA-256 of each layer's tar, lowest layer first
  friend bool operator==(const image_config&, const image_config&) = default;

  /// Entrypoint and command together: what runs when the user says nothing else.
  [[nodiscard]] std::vector<std::string> arguments() const;
};

}  // namespace firstlight
