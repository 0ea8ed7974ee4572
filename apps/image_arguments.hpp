#pragma once
#include <string>

#include "apps/daemon_client.hpp"

namespace firstlight {

/// What commands about one image of the hub are given.
struct image_arguments {
  daemon_options daemon;
  std::string reference;
  std::string platform;
};

/// The image and --platform.
inline void add_reference(CLI::App& command, image_arguments& in) {
  command.add_option("image", in.reference, "the image's reference")->required()->type_name("REFERENCE");
  command.add_option("--platform", in.platform, "os/architecture[/variant] (default: the hub's own)")
      ->type_name("PLATFORM");
}

}  // namespace firstlight
