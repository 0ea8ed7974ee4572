#pragma once
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "test/harness/cluster/program.hpp"
#include "test/harness/relay.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {

/// What a command of `firstlight` said.
struct command_end {
  int exit_code = -1;
  nlohmann::json reply;  ///< of --json; null if there was none
  std::string errors;
};

struct cluster_options {
  std::vector<std::string> hub;   ///< further settings, "name=value"
  std::vector<std::string> node;  ///< the same of the node
  std::uint64_t link_bytes_per_second = 0;
  bool as_units = false;  ///< both with the rights that systemd gives them: test/programs/as_unit.cpp
};

enum class mount_kind : std::uint8_t { writable, read_only };

/// A hub and a node as real processes with a relay between them, in a temporary folder with a PKI of its own.
/// All are running and joined when it is made. At the end of its life nothing is left: processes are killed,
/// mounts below the folder are detached. One thread. Members throw std::runtime_error with the daemon's log
/// when what they start does not come up.
class cluster {
 public:
  /// Whether this process may mount; says so in the test's output if not.
  [[nodiscard]] static bool possible();

  explicit cluster(cluster_options options = {});
  ~cluster();
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] std::filesystem::path hub_store() const { return folder() / "hub"; }
  [[nodiscard]] std::filesystem::path node_store() const {
    return folder() / ("node" + std::to_string(node_number_));
  }
  [[nodiscard]] test::relay& link() { return *link_; }

  void start_hub();  ///< at a new port, to which the relay follows
  void kill_hub();   ///< kill -9
  bool stop_hub();   ///< SIGTERM; whether it ended well
  /// Another hub beside, of the same cluster. A later one of the same name has its store and its address.
  void start_other_hub(const std::string& name, const std::vector<std::string>& settings);
  void kill_other_hub(const std::string& name);
  command_end on_other_hub(const std::string& name, const std::vector<std::string>& arguments);
  [[nodiscard]] std::string hub_address() const { return address_in(folder() / "address"); }
  [[nodiscard]] std::string other_hub_address(const std::string& name) const {
    return address_in(folder() / (name + ".address"));
  }

  void start_node();  ///< returns when it is ready, joined or not
  void kill_node();   ///< kill -9
  /// Kills the node and its keeper, and detaches all mounts below the folder. Files stay as they are.
  void power_off_node();
  bool stop_node();                                             ///< SIGTERM; whether it ended well
  void restart_node(const std::vector<std::string>& settings);  ///< stops it; these are added
  [[nodiscard]] std::string node_log() const;                   ///< of this node process
  static std::string program();                                 ///< path of `firstlight`
  void next_node();  ///< stops the node and starts one that has nothing; joined when it returns
  void await_joined();

  /// Runs `firstlight ARGUMENTS --json` with the daemon of that role.
  command_end on_hub(const std::vector<std::string>& arguments);
  command_end on_node(const std::vector<std::string>& arguments);
  /// Starts `firstlight ARGUMENTS` with the sockets of both daemons in its environment.
  std::unique_ptr<running_program> start(const std::vector<std::string>& arguments);
  /// What `status --json` says. Throws when the daemon does not answer.
  nlohmann::json hub_status();
  nlohmann::json node_status();
  /// Bytes of segments and TOCs that arrived at this node process.
  std::uint64_t bytes_received();

  /// Takes an OCI layout into the hub under the name `image`.
  void add(const std::filesystem::path& layout, const std::string& image);
  /// Mounts and returns the target. The name of the mount is that of the target.
  std::filesystem::path mount(const std::string& image, const std::string& name,
                              mount_kind kind = mount_kind::read_only);
  /// Mount points below the folder, the latest last, without what the node's mounts share while it runs.
  [[nodiscard]] std::vector<std::string> mounts() const;
  /// All mount points below the folder, the latest last.
  [[nodiscard]] std::vector<std::string> all_mounts() const;

  /// Starts a program whose output goes to files in the folder.
  std::unique_ptr<running_program> run(const std::vector<std::string>& arguments);

 private:
  std::unique_ptr<running_program> start_daemon(const std::string& role, std::vector<std::string> settings);
  std::unique_ptr<running_program> start_with(const std::filesystem::path& hub_socket,
                                              const std::vector<std::string>& arguments);
  command_end command(const std::string& role, std::vector<std::string> arguments);
  command_end ask(const std::filesystem::path& hub_socket, const std::string& role,
                  std::vector<std::string> arguments);
  static std::string address_in(const std::filesystem::path& file);
  void make_certificates();

  cluster_options options_;
  temporary_folder folder_;
  std::uint32_t programs_started_ = 0;
  std::uint32_t node_number_ = 1;
  std::unique_ptr<test::relay> link_;
  std::unique_ptr<running_program> hub_;
  std::unique_ptr<running_program> node_;
  std::map<std::string, std::unique_ptr<running_program>> other_hubs_;
};

}  // namespace firstlight
