#include "test/harness/cluster/cluster.hpp"

#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <ranges>
#include <sstream>

#include "test/harness/cluster/processes.hpp"
#include "test/harness/eventually.hpp"
#include "test/harness/skipped.hpp"

namespace firstlight {
namespace {

constexpr std::chrono::seconds start_limit{60};
constexpr std::chrono::seconds stop_limit{30};
constexpr std::chrono::minutes command_limit{2};

std::string program_path() {
  const char* given = std::getenv("FIRSTLIGHT_PROGRAM");
  return given != nullptr ? given : FIRSTLIGHT_PROGRAM;
}

/// The socket at which a daemon says that it is ready, as sd_notify(3) has it.
class readiness_socket {
 public:
  explicit readiness_socket(const std::filesystem::path& path)
      : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    unlink(path.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot bind " + path.string());
  }
  ~readiness_socket() { close(descriptor_); }
  readiness_socket(const readiness_socket&) = delete;
  readiness_socket& operator=(const readiness_socket&) = delete;

  /// Whether the daemon is ready before it ends and in time.
  [[nodiscard]] bool await(const running_program& daemon) const {
    pollfd polled[] = {{descriptor_, POLLIN, 0}, {daemon.descriptor(), POLLIN, 0}};
    const auto limit = std::chrono::milliseconds(start_limit).count();
    return poll(polled, 2, static_cast<int>(limit)) > 0 && polled[0].revents != 0;
  }

 private:
  int descriptor_;
};

void append_settings(std::vector<std::string>& arguments, const std::vector<std::string>& settings) {
  for (const auto& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
}

std::vector<std::string> tls_settings(const std::filesystem::path& pki, const std::string& role) {
  const auto own = (pki / (role + "-main")).string();
  return {"tls.ca=" + (pki / "ca.crt").string(), "tls.certificate=" + own + ".crt",
          "tls.key=" + own + ".key"};
}

}  // namespace

bool cluster::possible() {
  const bool may = geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0;
  if (!may) test::note_skipped("mounting needs root and /dev/fuse");
  return may;
}

cluster::cluster(cluster_options options) : options_(std::move(options)) {
  make_certificates();
  start_hub();
  link_->rate(options_.link_bytes_per_second);
  start_node();
  await_joined();
}

cluster::~cluster() {
  if (node_) node_->kill();
  for (const auto& mount : all_mounts() | std::views::reverse) {
    umount2(mount.c_str(), MNT_FORCE);  // ends a FUSE connection that is in use: then its keeper ends too
    umount2(mount.c_str(), MNT_DETACH);
  }
  if (hub_) hub_->kill();
  for (auto& [name, hub] : other_hubs_) hub->kill();
}

void cluster::make_certificates() {
  const auto pki = (folder() / "pki").string();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"init"}, {"issue", "hub", "main"}, {"issue", "node", "main"}}) {
    std::vector<std::string> all{program_path(), "pki"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"--folder", pki});
    auto program = run(all);
    if (program->wait(start_limit) != program_end{0, 0})
      throw std::runtime_error("firstlight pki: " + program->errors());
  }
}

std::unique_ptr<running_program> cluster::start_daemon(const std::string& role,
                                                       std::vector<std::string> settings) {
  const readiness_socket ready(folder() / (role + ".ready"));
  std::vector<std::string> arguments{"env", "NOTIFY_SOCKET=" + (folder() / (role + ".ready")).string()};
  if (options_.as_units)
    arguments.insert(arguments.end(), {AS_UNIT_PROGRAM, UNITS_FOLDER "/firstlight-" + role + ".service"});
  arguments.insert(arguments.end(), {program_path(), role, "--config", "/dev/null"});
  settings.insert(settings.begin(), "socket=" + (folder() / (role + ".sock")).string());
  append_settings(arguments, settings);
  append_settings(arguments, tls_settings(folder() / "pki", role));
  append_settings(arguments, role == "hub" ? options_.hub : options_.node);
  auto daemon = run(arguments);
  if (!ready.await(*daemon)) throw std::runtime_error("the " + role + " does not start: " + daemon->errors());
  return daemon;
}

void cluster::start_hub() {
  const auto address = folder() / "address";
  std::filesystem::remove(address);
  hub_ = start_daemon("hub", {"store_folder=" + hub_store().string(), "listen=127.0.0.1:0",
                              "address_file=" + address.string()});
  std::string text;
  if (!eventually([&] { return bool(std::ifstream(address) >> text); }))
    throw std::runtime_error("the hub wrote no address");
  const auto port = static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));
  if (link_)
    link_->retarget(port);
  else
    link_ = std::make_unique<test::relay>(port);
}

void cluster::kill_hub() {
  hub_->kill();
}

bool cluster::stop_hub() {
  hub_->signal(SIGTERM);
  return hub_->wait(stop_limit) == program_end{0, 0};
}

void cluster::start_node() {
  node_ = start_daemon("node",
                       {"store_folder=" + node_store().string(), "run_folder=" + (folder() / "run").string(),
                        "hub=127.0.0.1:" + std::to_string(link_->port())});
}

void cluster::kill_node() {
  node_->kill();
}

void cluster::power_off_node() {
  kill_node();
  const auto keeper = processes_with(" keeper " + (folder() / "run" / "keeper.sock").string() + " ");
  kill_processes(keeper);
  if (!await_ends(keeper)) throw std::runtime_error("the keeper does not end");
  const auto detach_all = [&] {
    for (const auto& mount : all_mounts() | std::views::reverse) umount2(mount.c_str(), MNT_DETACH);
    return all_mounts().empty();
  };
  if (!eventually(detach_all)) throw std::runtime_error("mounts stay behind");
}

bool cluster::stop_node() {
  node_->signal(SIGTERM);
  return node_->wait(stop_limit) == program_end{0, 0};
}

void cluster::restart_node(const std::vector<std::string>& settings) {
  if (!stop_node()) throw std::runtime_error("the node does not stop: " + node_->errors());
  options_.node.insert(options_.node.end(), settings.begin(), settings.end());
  start_node();
}

std::string cluster::node_log() const {
  return node_->errors();
}

std::string cluster::program() {
  return program_path();
}

void cluster::next_node() {
  if (!stop_node()) throw std::runtime_error("the node does not stop: " + node_->errors());
  ++node_number_;
  start_node();
  await_joined();
}

void cluster::await_joined() {
  if (!eventually([&] { return node_status()["link"]["state"] == "up"; }))
    throw std::runtime_error("the node does not join: " + node_->errors());
}

std::unique_ptr<running_program> cluster::run(const std::vector<std::string>& arguments) {
  return std::make_unique<running_program>(arguments,
                                           folder() / ("program-" + std::to_string(++programs_started_)));
}

std::unique_ptr<running_program> cluster::start(const std::vector<std::string>& arguments) {
  return start_with(folder() / "hub.sock", arguments);
}

std::unique_ptr<running_program> cluster::start_with(const std::filesystem::path& hub_socket,
                                                     const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"env", "FIRSTLIGHT_HUB_SOCKET=" + hub_socket.string(),
                               "FIRSTLIGHT_NODE_SOCKET=" + (folder() / "node.sock").string()};
  all.push_back(program_path());
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(all);
}

command_end cluster::ask(const std::filesystem::path& hub_socket, const std::string& role,
                         std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  if (arguments.front() == "status") arguments.push_back("--" + role);
  auto program = start_with(hub_socket, arguments);
  const auto end = program->wait(command_limit);
  if (!end) throw std::runtime_error(arguments.front() + " does not end");
  return {end->exit_code, nlohmann::json::parse(program->output(), nullptr, false), program->errors()};
}

command_end cluster::command(const std::string& role, std::vector<std::string> arguments) {
  return ask(folder() / "hub.sock", role, std::move(arguments));
}

std::string cluster::address_in(const std::filesystem::path& file) {
  std::string text;
  std::ifstream(file) >> text;
  return text;
}

void cluster::start_other_hub(const std::string& name, const std::vector<std::string>& settings) {
  const auto address = folder() / (name + ".address");
  const auto before = address_in(address);
  auto all = settings;
  all.insert(
      all.end(),
      {"store_folder=" + (folder() / name).string(), "listen=" + (before.empty() ? "127.0.0.1:0" : before),
       "address_file=" + address.string(), "socket=" + (folder() / (name + ".sock")).string()});
  other_hubs_[name] = start_daemon("hub", all);
}

void cluster::kill_other_hub(const std::string& name) {
  other_hubs_.at(name)->kill();
}

command_end cluster::on_other_hub(const std::string& name, const std::vector<std::string>& arguments) {
  return ask(folder() / (name + ".sock"), "hub", arguments);
}

command_end cluster::on_hub(const std::vector<std::string>& arguments) {
  return command("hub", arguments);
}

command_end cluster::on_node(const std::vector<std::string>& arguments) {
  return command("node", arguments);
}

nlohmann::json cluster::hub_status() {
  auto status = on_hub({"status"});
  if (status.exit_code != 0) throw std::runtime_error("status of the hub: " + status.errors);
  return status.reply;
}

nlohmann::json cluster::node_status() {
  auto status = on_node({"status"});
  if (status.exit_code != 0) throw std::runtime_error("status of the node: " + status.errors);
  return status.reply;
}

std::uint64_t cluster::bytes_received() {
  std::uint64_t sum = 0;
  const auto status = node_status();
  for (const auto& delivery : status["deliveries"]) sum += delivery["bytes_received"].get<std::uint64_t>();
  return sum;
}

void cluster::add(const std::filesystem::path& layout, const std::string& image) {
  const auto added = on_hub({"image", "add", "oci:" + layout.string(), "--name", image});
  if (added.exit_code != 0) throw std::runtime_error("image add: " + added.errors);
}

std::filesystem::path cluster::mount(const std::string& image, const std::string& name, mount_kind kind) {
  auto target = folder() / "mounts" / name;
  std::vector<std::string> arguments{"mount", image, target.string(), "--name", name};
  if (kind == mount_kind::read_only) arguments.emplace_back("--read-only");
  const auto mounted = on_node(arguments);
  if (mounted.exit_code != 0) throw std::runtime_error("mount: " + mounted.errors);
  return target;
}

std::vector<std::string> cluster::mounts() const {
  auto found = all_mounts();
  const std::vector<std::filesystem::path> shared{folder() / "run" / "contents", folder() / "run" / "trees",
                                                  node_store() / "erofs"};
  std::erase_if(found, [&](const std::string& mount) {
    return std::any_of(shared.begin(), shared.end(),
                       [&](const auto& one) { return mount.starts_with(one.string()); });
  });
  return found;
}

std::vector<std::string> cluster::all_mounts() const {
  std::vector<std::string> found;
  std::ifstream table("/proc/self/mountinfo");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string point;
    for (int field = 0; field < 5; ++field) fields >> point;
    if (point.starts_with(folder().string() + "/")) found.push_back(point);
  }
  return found;
}

}  // namespace firstlight
