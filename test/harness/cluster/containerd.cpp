#include "test/harness/cluster/containerd.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "test/harness/cluster/processes.hpp"
#include "test/harness/eventually.hpp"

namespace firstlight {
namespace {

constexpr std::chrono::minutes command_limit{4};
constexpr std::chrono::seconds stop_limit{30};

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// Containers are children of their shim, which names containerd's socket in its command line.
std::vector<pid_t> containers_of(const std::string& address) {
  std::vector<pid_t> found;
  const auto shims = processes_with(" -address " + address + " ");
  for (const auto shim : shims) {
    const auto children = children_of(shim);
    found.insert(found.end(), children.begin(), children.end());
  }
  found.insert(found.end(), shims.begin(), shims.end());
  return found;
}

}  // namespace

containerd_daemon::containerd_daemon(cluster& all, cri_plugin cri, const std::vector<registry_user>& users)
    : all_(all), cri_(cri), registry_(all, users) {
  all_.restart_node({"containerd.socket=" + (all_.folder() / "sn.sock").string(),
                     "containerd.address=" + socket().string()});
  all_.await_joined();
  write_config();
  start();
}

containerd_daemon::~containerd_daemon() {
  kill_processes(containers_of(socket().string()));
  if (daemon_) daemon_->kill();
}

void containerd_daemon::write_config() const {
  const auto folder = (all_.folder() / "containerd").string();
  std::ofstream(all_.folder() / "containerd.toml")
      << "version = 2\nroot = \"" << folder << "/root\"\nstate = \"" << folder << "/state\"\n"
      << (cri_ == cri_plugin::off ? "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n" : "")
      << "[grpc]\n  address = \"" << socket().string() << "\"\n[ttrpc]\n  address = \"" << socket().string()
      << ".ttrpc\"\n"
      << "[proxy_plugins.firstlight]\n  type = \"snapshot\"\n  address = \""
      << (all_.folder() / "sn.sock").string() << "\"\n"
      << "[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"" << pause_image() << "\"\n"
      << "  restrict_oom_score_adj = true\n"  // in a container root may not make a pod safer than itself
      << "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  snapshotter = \"firstlight\"\n"
      << "  disable_snapshot_annotations = " << (cri_ == cri_plugin::without_labels ? "true" : "false")
      << "\n"
      << "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n"
      << "  runtime_type = \"io.containerd.runc.v2\"\n"
      << "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n  Root = \""
      << runc_root() << "\"\n"
      << "[plugins.\"io.containerd.grpc.v1.cri\".cni]\n  conf_dir = \"" << folder << "/cni\"\n"
      << "[plugins.\"io.containerd.internal.v1.opt\"]\n  path = \"" << folder << "/opt\"\n";
}

void containerd_daemon::start() {
  daemon_ = all_.run({"containerd", "-c", (all_.folder() / "containerd.toml").string()});
  if (!eventually([&] { return ctr({"version"}).exit_code == 0; }))
    throw std::runtime_error("containerd does not start: " + daemon_->errors());
  if (cri_ != cri_plugin::off && !eventually([&] { return cri()->serves(); }))
    throw std::runtime_error("containerd does not serve kubelet: " + daemon_->errors());
}

void containerd_daemon::stop() {
  ::kill(daemon_->pid(), SIGTERM);
  if (!daemon_->wait(stop_limit)) throw std::runtime_error("containerd does not stop: " + daemon_->errors());
}

void containerd_daemon::restart() {
  stop();
  start();
}

void containerd_daemon::kill() {
  daemon_->kill();
}

void containerd_daemon::power_off() {
  kill();  // before the shims: their end is no news to it
  const auto containers = containers_of(socket().string());
  kill_processes(containers);
  all_.power_off_node();
  // Only now: who waits for a file of the node ends with the node's mounts.
  if (!await_ends(containers)) throw std::runtime_error("containers do not end");
  for (const auto* name :
       {"run", "node.sock", "sn.sock", "containerd/state", "c.sock", "c.sock.ttrpc", "runc"})
    std::filesystem::remove_all(all_.folder() / name);
}

program_said containerd_daemon::said(const std::vector<std::string>& arguments) {
  auto program = all_.run(arguments);
  const auto end = program->wait(command_limit);
  if (!end) throw std::runtime_error(arguments.front() + " does not end: " + program->errors());
  return {end->exit_code, program->output(), program->errors()};
}

program_said containerd_daemon::ctr(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"ctr", "--address", socket().string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return said(all);
}

program_said containerd_daemon::pull(const std::string& reference, const std::string& space) {
  return said({"env", "FIRSTLIGHT_NODE_SOCKET=" + (all_.folder() / "node.sock").string(), cluster::program(),
               "pull", "--containerd", "--namespace", space, reference});
}

program_said containerd_daemon::run_detached(const std::string& reference, const std::string& id,
                                             const std::vector<std::string>& command) {
  std::vector<std::string> arguments{"run",           "--detach",   "--runc-root", runc_root(),
                                     "--snapshotter", "firstlight", reference,     whole(id)};
  arguments.insert(arguments.end(), command.begin(), command.end());
  return ctr(arguments);
}

program_said containerd_daemon::run(const std::string& reference, const std::string& id,
                                    const std::vector<std::string>& command,
                                    const std::vector<std::string>& options) {
  std::vector<std::string> arguments{"run",       "--rm",          "--runc-root",
                                     runc_root(), "--snapshotter", "firstlight"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), {reference, whole(id)});
  arguments.insert(arguments.end(), command.begin(), command.end());
  return ctr(arguments);
}

program_said containerd_daemon::exec(const std::string& id, const std::vector<std::string>& command) {
  const auto name = "exec-" + std::to_string(++execs_);
  const auto written = all_.folder() / (id + "-" + name);
  std::vector<std::string> arguments{
      "tasks", "exec", "--exec-id", name, "--log-uri", "file://" + written.string(), whole(id)};
  arguments.insert(arguments.end(), command.begin(), command.end());
  auto result = ctr(arguments);
  result.output = text_of(written);
  return result;
}

program_said containerd_daemon::start_again(const std::string& id) {
  return ctr({"tasks", "start", "--detach", whole(id)});
}

void containerd_daemon::end(const std::string& id) {
  ctr({"tasks", "kill", "--signal", "KILL", whole(id)});
  if (!eventually([&] { return ctr({"tasks", "rm", whole(id)}).exit_code == 0; }))
    throw std::runtime_error("the task of container " + id + " does not end");
}

void containerd_daemon::remove(const std::string& id) {
  end(id);
  const auto gone = ctr({"containers", "rm", whole(id)});
  if (gone.exit_code != 0) throw std::runtime_error("container " + id + ": " + gone.errors);
}

std::vector<std::string> containerd_daemon::snapshots() {
  const auto listed = ctr({"snapshots", "--snapshotter", "firstlight", "ls"});
  if (listed.exit_code != 0) throw std::runtime_error("snapshots: " + listed.errors);
  std::istringstream lines(listed.output);
  std::vector<std::string> keys;
  std::string line;
  for (std::getline(lines, line); std::getline(lines, line);) keys.push_back(line.substr(0, line.find(' ')));
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::filesystem::path containerd_daemon::mounted(const std::string& how, const std::string& key,
                                                 const std::string& parent) {
  auto point = all_.folder() / key;
  std::filesystem::create_directories(point);
  const auto made =
      ctr({"snapshots", "--snapshotter", "firstlight", how, "--target", point.string(), key, parent});
  const auto mount = made.exit_code == 0 ? said({"sh", "-c", made.output}) : made;
  if (mount.exit_code != 0) throw std::runtime_error("snapshot " + key + ": " + mount.errors);
  return point;
}

}  // namespace firstlight
