#include "fuse_bridge/writable/repeated_requests.hpp"

namespace firstlight::repeated {

os_result<shown_file> made(writable_tree& files, node_number folder, const std::string& name,
                           os_result<shown_file> outcome) {
  return outcome || outcome.error() != EEXIST ? outcome : files.lookup(folder, name);
}

os_result<void> removed(os_result<void> outcome) {
  const bool gone = !outcome && (outcome.error() == ENOENT || outcome.error() == ENODATA);
  return gone ? os_result<void>{} : outcome;
}

os_result<void> set(writable_tree& files, node_number number, const std::string& name, std::string_view value,
                    os_result<void> outcome) {
  if (outcome || outcome.error() != EEXIST) return outcome;
  const auto now = files.get_xattr(number, name);
  return now && *now == value ? os_result<void>{} : outcome;
}

os_result<void> moved(writable_tree& files, const layer_place& from, const layer_place& to,
                      os_result<void> outcome) {
  if (outcome || outcome.error() != ENOENT) return outcome;
  const auto left = files.lookup(from.folder, from.name);
  const auto arrived = files.lookup(to.folder, to.name);
  return !left && left.error() == ENOENT && arrived ? os_result<void>{} : outcome;
}

}  // namespace firstlight::repeated
