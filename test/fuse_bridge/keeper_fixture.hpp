#pragma once
#include "fuse_bridge/keeper_process.hpp"
#include "fuse_bridge/mount_keeper.hpp"
#include "test/harness/child_process.hpp"
#include "test/harness/eventually.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {

/// A keeper in a process of its own, and the node's connections to it.
struct keeper_fixture {
  explicit keeper_fixture(keeper_limits with = {}) : limits(with) {}

  result<std::shared_ptr<mount_keeper>> open() {
    return mount_keeper::open(socket, limits, [this](int listener) -> result<void> {
      if (refused) return fail(errc::io, "no more processes");
      process = std::make_unique<child_process>(
          [&] { return static_cast<int>(run_keeper(file_descriptor(dup(listener)), socket, limits)); });
      ++started;
      return {};
    });
  }
  /// How many mounts it had to give up; nothing if it does not end.
  std::optional<int> end() const {
    std::optional<int> status;
    if (!eventually([&] { return (status = process->ended()).has_value(); })) return std::nullopt;
    return WEXITSTATUS(*status);
  }

  temporary_folder folder;
  std::filesystem::path socket = folder.path() / "keeper.sock";
  keeper_limits limits;
  std::atomic<int> started = 0;
  std::atomic<bool> refused = false;
  std::unique_ptr<child_process> process;
};

}  // namespace firstlight
