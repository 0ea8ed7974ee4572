#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "actors/kept_mount.hpp"
#include "config/keeper_limits.hpp"
#include "fuse_bridge/keeper_socket.hpp"

namespace firstlight {

/// Under this name the keeper holds a node's content mount (fuse_bridge/hybrid/content_mount.hpp); no name of
/// a mount begins with a dot.
inline constexpr std::string_view kept_contents_name = ".contents";

/// A node's connection to its keeper (fuse_bridge/keeper_process.hpp). A keeper that ends is replaced by
/// another one, which gets all that this one held. `keep`, `drop` and `problem` from any thread.
class mount_keeper {
 public:
  /// Starts a keeper that serves `listener`, a socket listening at the path that `open` was given.
  using starter = std::function<result<void>(int listener)>;

  /// Connects to the keeper that listens at `socket`, or starts one, and asks it for what an earlier process
  /// has left. Errors: `busy` when another node works with this keeper; `io`.
  static result<std::shared_ptr<mount_keeper>> open(const std::filesystem::path& socket,
                                                    const keeper_limits& limits, const starter& start);

  /// Waits until the keeper has ended, if nothing is kept any more.
  ~mount_keeper();
  mount_keeper(const mount_keeper&) = delete;
  mount_keeper& operator=(const mount_keeper&) = delete;

  /// What an earlier process of this node has left; empty from the second call on. The keeper holds it until
  /// it is dropped. What this version does not understand has been dropped.
  [[nodiscard]] std::vector<kept_mount> take_kept() { return std::move(kept_); }

  /// The content mount that an earlier process has left; nothing from the second call on.
  [[nodiscard]] std::optional<kept_session> take_kept_contents() { return std::exchange(kept_contents_, {}); }

  /// From now on the keeper holds this mount. Waits for it
  /// only if it is stuck, and then at most `answer_timeout`. What cannot be kept is logged. Errors:
  /// `limit_exceeded` above `kept_mounts_max`, `io`: the mount ends with this process.
  result<void> keep(const std::string& name, const shared_bytes& record, const shared_bytes& init,
                    int device);
  void drop(const std::string& name);

  /// Why mounts would not outlive a crash of this process now; empty if they would.
  [[nodiscard]] std::string problem() const;

 private:
  struct held_mount {
    file_descriptor device;
    shared_bytes init;
    shared_bytes record;
  };

  mount_keeper(keeper_socket socket, std::filesystem::path path, const keeper_limits& limits, starter start)
      : path_(std::move(path)), limits_(limits), start_(std::move(start)), socket_(std::move(socket)) {}
  result<void> hold(const std::string& name, const shared_bytes& record, const shared_bytes& init,
                    int device);
  static result<keeper_socket> connect(const std::filesystem::path& path, const keeper_limits& limits,
                                       const starter& start);
  /// @returns false when the keeper closed the connection instead.
  result<bool> list();
  void watch(const std::stop_token& stop);
  result<void> replace();

  std::filesystem::path path_;
  keeper_limits limits_;
  starter start_;
  mutable std::mutex mutex_;  // guards what follows, up to kept_
  keeper_socket socket_;
  std::map<std::string, held_mount> held_;
  std::string problem_;
  std::vector<kept_mount> kept_;
  std::optional<kept_session> kept_contents_;
  file_descriptor stop_;  // an eventfd: readable once the watcher is to end
  std::jthread watcher_;
};

}  // namespace firstlight
