#include "model/link_advice.hpp"

namespace firstlight {
namespace {

constexpr const char* best_congestion_control = "bbr";
/// Packets that a connection begins with, also after a pause. The kernel's own number is 10.
constexpr int first_packets = 64;

}  // namespace

std::string link_advice(const std::string& node, const sending_kernel& kernel) {
  if (kernel.congestion_control == best_congestion_control) return {};
  auto text = node + " is served with " + kernel.congestion_control +
              ", which starts slowly and on a link that idled does so again. On the hub's machine: "
              "'modprobe tcp_bbr'; if its kernel has no such module, '";
  if (kernel.slow_start_after_idle) text += "sysctl -w net.ipv4.tcp_slow_start_after_idle=0; ";
  return text + "ip route change $(ip route show default | head -n1) initcwnd " +
         std::to_string(first_packets) + "'; a node that joins again has it";
}

}  // namespace firstlight
