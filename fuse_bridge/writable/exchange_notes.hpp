#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

#include "fuse_bridge/writable/layer_tree.hpp"
#include "fuse_bridge/writable/os_result.hpp"
#include "fuse_bridge/writable/session_life.hpp"
#include "model/result.hpp"

namespace firstlight {

/// What two names showed before they were exchanged.
struct exchanged_nodes {
  node_number from = 0;
  node_number to = 0;
};

/// EXCHANGES THAT ARE UNDER WAY, each under the kernel's number of its request, in a folder that is there
/// only while there are any. A process that dies leaves them to the one that the kernel repeats its requests
/// to; they are nothing after a power cut. Not thread-safe.
class exchange_notes {
 public:
  /// Notes of another session are removed. Errors: `io`.
  static result<exchange_notes> open(std::filesystem::path folder, session_life life);

  os_result<void> add(std::uint64_t request, const exchanged_nodes& nodes);
  [[nodiscard]] std::optional<exchanged_nodes> find(std::uint64_t request) const;
  void remove(std::uint64_t request);

 private:
  explicit exchange_notes(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] std::string name_of(std::uint64_t request) const {
    return (folder_ / std::to_string(request)).string();
  }
  std::filesystem::path folder_;
};

}  // namespace firstlight
