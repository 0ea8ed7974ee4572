#pragma once
#include "test/harness/cluster/cri_client.hpp"
#include "test/harness/cluster/registry.hpp"

namespace firstlight {

/// What a program said at its end.
struct program_said {
  int exit_code = -1;
  std::string output;
  std::string errors;
};

/// What of containerd serves Kubernetes: nothing; its CRI plugin; the same without the labels of its own that
/// name an image to the snapshotter.
enum class cri_plugin : std::uint8_t { off, on, without_labels };

/// A real containerd with folders and sockets of its own in the cluster's folder, whose snapshotter
/// "firstlight" is the cluster's node, and a real registry on the loopback. At the end of its life
/// containers, shims and both daemons are killed. One thread. Members throw std::runtime_error with the
/// daemon's log when what they start does not come up.
class containerd_daemon {
 public:
  /// The node starts anew to serve it. `all` outlives this. The registry asks for logins if it has users.
  explicit containerd_daemon(cluster& all, cri_plugin cri = cri_plugin::off,
                             const std::vector<registry_user>& users = {});
  ~containerd_daemon();
  containerd_daemon(const containerd_daemon&) = delete;
  containerd_daemon& operator=(const containerd_daemon&) = delete;

  void stop();  ///< SIGTERM; its containers go on
  void kill();  ///< kill -9
  void start();
  void restart();  ///< `stop`, then `start`
  /// What the end of the machine's power is to all that was started here, but for the hub: containers, shims,
  /// containerd and the node are killed, mounts are gone, and so is what lies in memory: run folders,
  /// sockets, containerd's state. `cluster::start_node` and `start` are the next boot.
  void power_off();

  /// Runs `ctr ARGUMENTS`.
  program_said ctr(const std::vector<std::string>& arguments);
  /// `firstlight pull --containerd`, into one of containerd's namespaces.
  program_said pull(const std::string& reference, const std::string& space = "default");
  /// Starts a container that goes on until it is killed. Its id is `id`.
  program_said run_detached(const std::string& reference, const std::string& id,
                            const std::vector<std::string>& command = {});
  /// Runs a container to its end. `options` are further ones of `ctr run`.
  program_said run(const std::string& reference, const std::string& id,
                   const std::vector<std::string>& command, const std::vector<std::string>& options = {});
  /// As the container's user. (With --user ctr 1.6 mounts the snapshot once more, and overlayfs then takes
  /// the running container's work folder away.) Its output has what it writes to either stream: through a
  /// file, since ctr can end before it has read a short program's pipe (containerd pull request 13931).
  program_said exec(const std::string& id, const std::vector<std::string>& command);
  /// Starts the program of a container that has ended once more.
  program_said start_again(const std::string& id);
  /// Kills a container; its snapshot stays.
  void end(const std::string& id);
  /// Kills a container and removes it with its snapshot.
  void remove(const std::string& id);
  /// A container's id for all of this machine: control groups are named after it.
  [[nodiscard]] std::string whole(const std::string& id) const {
    return id + "-" + all_.folder().filename().string();
  }
  /// Rows of `ctr snapshots ls`: keys, sorted.
  std::vector<std::string> snapshots();

  /// Makes a snapshot ("prepare" or "view") and mounts it as containerd would. @returns where
  std::filesystem::path mounted(const std::string& how, const std::string& key, const std::string& parent);

  /// Pushes an OCI layout. @returns the reference in the registry, `127.0.0.1:PORT/NAME`.
  std::string push(const std::filesystem::path& layout, const std::string& name) {
    return registry_.push(layout, name);
  }
  /// What holds the namespaces of pods: has to be pushed under this name before the first pod.
  [[nodiscard]] std::string pause_image() const { return registry_.host() + "/pause:1"; }
  void stop_registry() { registry_.stop(); }
  [[nodiscard]] registry_daemon& registry() { return registry_; }

  /// Kubernetes' side of it, if that is on. Its image service is containerd's own.
  [[nodiscard]] std::unique_ptr<cri_client> cri() const {
    return std::make_unique<cri_client>(socket(), socket());
  }
  /// The same, but images go through the node, which reads the pull secrets.
  [[nodiscard]] std::unique_ptr<cri_client> cri_by_node() const {
    return std::make_unique<cri_client>(socket(), all_.folder() / "sn.sock");
  }

 private:
  void write_config() const;
  program_said said(const std::vector<std::string>& arguments);
  /// Else runc would use one folder for all of this machine.
  [[nodiscard]] std::string runc_root() const { return (all_.folder() / "runc").string(); }
  [[nodiscard]] std::filesystem::path socket() const { return all_.folder() / "c.sock"; }

  cluster& all_;
  cri_plugin cri_;
  registry_daemon registry_;
  std::unique_ptr<running_program> daemon_;
  std::uint32_t execs_ = 0;
};

}  // namespace firstlight
