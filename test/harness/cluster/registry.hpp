#pragma once
#include "test/harness/cluster/cluster.hpp"

namespace firstlight {

/// A user of a registry that wants logins.
struct registry_user {
  std::string name;
  std::string password;
};

/// A real docker-registry on the loopback, with its folder in the cluster's. It answers when it is made. One
/// thread. Members throw std::runtime_error when what they start does not come up.
class registry_daemon {
 public:
  /// With users nobody else may read or write. `all` outlives this.
  explicit registry_daemon(cluster& all, const std::vector<registry_user>& users = {});

  /// host:port
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  /// Pushes an OCI layout, for all its platforms, as the first of the users. @returns the reference in the
  /// registry, `HOST/NAME`.
  std::string push(const std::filesystem::path& layout, const std::string& name);
  /// From now on these, and nobody else, are its users.
  void set_users(const std::vector<registry_user>& users);
  void start();  ///< at the same port; it goes on with what it has
  void stop();

 private:
  [[nodiscard]] bool answers();

  cluster& all_;
  std::uint16_t port_ = 0;
  std::vector<registry_user> users_;
  std::unique_ptr<running_program> daemon_;
};

}  // namespace firstlight
