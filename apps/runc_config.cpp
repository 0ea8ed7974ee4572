#include "apps/runc_config.hpp"

#include <nlohmann/json.hpp>

#include "model/utf8.hpp"

namespace firstlight {
namespace {

using json = nlohmann::ordered_json;

const json& default_capabilities() {
  static const json names{"CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
                          "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
                          "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
                          "CAP_KILL",    "CAP_AUDIT_WRITE"};
  return names;
}

json process_json(const process_spec& process, bool terminal) {
  json user{{"uid", process.uid}, {"gid", process.gid}};
  if (!process.groups.empty()) user["additionalGids"] = process.groups;
  const bool root = process.uid == 0;  // others get theirs from set-uid programs and file capabilities
  const json held = root ? default_capabilities() : json::array();
  return {{"terminal", terminal},
          {"user", std::move(user)},
          {"args", process.arguments},
          {"env", process.environment},
          {"cwd", process.working_directory},
          {"capabilities", {{"bounding", default_capabilities()}, {"effective", held}, {"permitted", held}}},
          {"noNewPrivileges", false}};
}

json mount_json(const char* where, const char* type, const char* source, std::vector<std::string> options) {
  return {{"destination", where}, {"type", type}, {"source", source}, {"options", std::move(options)}};
}

json mounts_json(network_kind network) {
  auto mounts = json::array({
      mount_json("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      mount_json("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount_json("/dev/pts", "devpts", "devpts",
                 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount_json("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount_json("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount_json("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}),
      mount_json("/run", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
  });
  // sysfs shows the network namespace it is mounted in, so that of the host can only be bound.
  const auto sys = network == network_kind::host
                       ? mount_json("/sys", "bind", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"})
                       : mount_json("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  mounts.insert(mounts.begin() + 5, sys);
  if (network == network_kind::host) {
    mounts.erase(mounts.begin() + 6);  // comes with the bound /sys
    for (const auto* file : {"/etc/resolv.conf", "/etc/hosts"}) {
      mounts.push_back(mount_json(file, "bind", file, {"bind", "ro"}));
    }
  }
  return mounts;
}

json linux_json(network_kind network) {
  auto namespaces = json::array({{{"type", "pid"}}, {{"type", "ipc"}}, {{"type", "mount"}}});
  if (network == network_kind::none) {
    namespaces.push_back({{"type", "network"}});
    namespaces.push_back({{"type", "uts"}});
  }
  const json deny{{"allow", false}, {"access", "rwm"}};
  return {{"namespaces", std::move(namespaces)},
          {"resources", {{"devices", json::array({deny})}}},
          {"maskedPaths",
           {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
            "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"}},
          {"readonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
}

result<void> check_texts(const process_spec& process, const container_spec& container) {
  const auto refuse = [](const std::string& what) {
    return fail(errc::invalid_argument, "a runtime takes UTF-8 only, unlike " + what);
  };
  for (const auto& word : process.arguments)
    if (!is_utf8(word)) return refuse("the argument '" + word + "'");
  for (const auto& variable : process.environment)
    if (!is_utf8(variable)) return refuse("the variable " + variable.substr(0, variable.find('=')));
  for (const auto* path : {&process.working_directory, &container.root, &container.hostname})
    if (!is_utf8(*path)) return refuse("'" + *path + "'");
  return {};
}

}  // namespace

result<std::string> runc_config(const process_spec& process, const container_spec& container) {
  if (auto texts = check_texts(process, container); !texts) return tl::unexpected(texts.error());
  json config{{"ociVersion", "1.0.2"},
              {"process", process_json(process, container.terminal)},
              {"root", {{"path", container.root}, {"readonly", container.read_only}}},
              {"mounts", mounts_json(container.network)},
              {"linux", linux_json(container.network)}};
  if (container.network == network_kind::none) config["hostname"] = container.hostname;
  return config.dump(2) + "\n";
}

}  // namespace firstlight
