#pragma once
#include <string>

namespace firstlight {

/// How a kernel sends to one node.
struct sending_kernel {
  std::string congestion_control;  ///< of the bulk connections
  bool slow_start_after_idle =
      true;  ///< net.ipv4.tcp_slow_start_after_idle: what an idle link could carry is forgotten
};

/// What makes a link fast again that idled, as commands to copy, each setting that is not made yet; one line.
/// Empty where BBR sends: it remembers the link.
[[nodiscard]] std::string link_advice(const std::string& node, const sending_kernel& kernel);

}  // namespace firstlight
