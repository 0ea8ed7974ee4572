#include <linux/capability.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

/// `as_unit UNIT PROGRAM [ARGUMENTS...]` becomes the program with the rights of a service: of the settings of
/// a systemd unit those of systemd.exec(5) that take capabilities and system calls away, as systemd 252 does.
/// What it does with mounts and devices is not imitated. Needs root.
namespace {

using words = std::vector<std::string>;

words split(const std::string& text) {
  std::istringstream in(text);
  words all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

void require(bool good, const std::string& what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

/// A filter of its own for each setting, as the strictest one counts.
class system_call_filter {
 public:
  explicit system_call_filter(std::uint32_t otherwise) : filter_(seccomp_init(otherwise), seccomp_release) {
    if (!filter_) throw std::runtime_error("seccomp_init");
  }
  /// Calls that this machine does not have are left out.
  void add(std::uint32_t action, const std::string& call, const std::vector<scmp_arg_cmp>& when = {}) {
    const int number = seccomp_syscall_resolve_name(call.c_str());
    if (number == __NR_SCMP_ERROR) return;
    seccomp_rule_add_array(filter_.get(), action, number, static_cast<unsigned>(when.size()), when.data());
  }
  void load() {
    const int problem = seccomp_load(filter_.get());
    if (problem != 0) throw std::system_error(-problem, std::generic_category(), "seccomp_load");
  }

 private:
  std::unique_ptr<void, decltype(&seccomp_release)> filter_;
};

/// systemd's names for sets of system calls, and what is in them.
std::map<std::string, words> call_sets() {
  const std::unique_ptr<FILE, int (*)(FILE*)> output(
      popen("systemd-analyze syscall-filter --no-pager 2>/dev/null", "r"), pclose);
  if (!output) throw std::runtime_error("systemd-analyze");
  std::map<std::string, words> sets;
  std::string set;
  for (char buffer[512]; fgets(buffer, sizeof buffer, output.get()) != nullptr;) {
    const std::string line(buffer);
    const auto all = split(line);
    if (all.empty() || all.front().starts_with('#')) continue;
    if (line.front() == '@')
      set = all.front();
    else
      sets[set].push_back(all.front());
  }
  if (!sets.contains("@system-service")) throw std::runtime_error("systemd-analyze tells no system calls");
  return sets;
}

void allow_only(const words& names) {
  const auto sets = call_sets();
  std::set<std::string> seen;
  system_call_filter filter(SCMP_ACT_KILL_PROCESS);
  const std::function<void(const std::string&)> allow = [&](const std::string& name) {
    if (!seen.insert(name).second) return;
    if (!name.starts_with('@')) return filter.add(SCMP_ACT_ALLOW, name);
    for (const auto& inner : sets.at(name)) allow(inner);
  };
  allow("@default");
  for (const auto& name : names) allow(name);
  filter.load();
}

void allow_families(const words& names) {
  const std::map<std::string, int> known{
      {"AF_UNIX", AF_UNIX}, {"AF_INET", AF_INET}, {"AF_INET6", AF_INET6}, {"AF_NETLINK", AF_NETLINK}};
  std::set<int> allowed;
  for (const auto& name : names) allowed.insert(known.at(name));
  system_call_filter filter(SCMP_ACT_ALLOW);
  for (int family = 0; family < AF_MAX; ++family)
    if (!allowed.contains(family))
      filter.add(SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket",
                 {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))});
  filter.load();
}

void deny_writable_code() {
  constexpr scmp_datum_t both = PROT_WRITE | PROT_EXEC;
  system_call_filter filter(SCMP_ACT_ALLOW);
  filter.add(SCMP_ACT_ERRNO(EPERM), "mmap", {SCMP_A2(SCMP_CMP_MASKED_EQ, both, both)});
  for (const auto* call : {"mprotect", "pkey_mprotect"})
    filter.add(SCMP_ACT_ERRNO(EPERM), call, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)});
  filter.add(SCMP_ACT_ERRNO(EPERM), "shmat", {SCMP_A2(SCMP_CMP_MASKED_EQ, SHM_EXEC, SHM_EXEC)});
  filter.load();
}

void keep_capabilities(const words& names) {
  std::set<cap_value_t> kept;
  for (const auto& name : names) {
    cap_value_t value = 0;
    require(cap_from_name(name.c_str(), &value) == 0, name);
    kept.insert(value);
  }
  for (cap_value_t value = 0; CAP_IS_SUPPORTED(value); ++value)
    if (!kept.contains(value)) require(cap_drop_bound(value) == 0, "drop a capability");
}

/// The last value of each setting.
std::map<std::string, std::string> settings_of(const std::string& unit) {
  std::ifstream file(unit);
  std::map<std::string, std::string> settings;
  for (std::string line; std::getline(file, line);)
    if (const auto at = line.find('='); at != std::string::npos && !line.starts_with('#'))
      settings[line.substr(0, at)] = line.substr(at + 1);
  if (!settings.contains("SystemCallFilter")) throw std::runtime_error(unit + " is no unit of ours");
  return settings;
}

void take_rights(std::map<std::string, std::string> settings) {
  keep_capabilities(split(settings.at("CapabilityBoundingSet")));
  require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
  allow_families(split(settings.at("RestrictAddressFamilies")));
  if (settings["MemoryDenyWriteExecute"] == "yes") deny_writable_code();
  allow_only(split(settings.at("SystemCallFilter")));  // last: it takes seccomp(2) away, too
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count < 3) throw std::runtime_error("usage: as_unit UNIT PROGRAM [ARGUMENTS...]");
    take_rights(settings_of(arguments[1]));
    execvp(arguments[2], arguments + 2);
    require(false, arguments[2]);
  } catch (const std::exception& problem) {
    std::cerr << "as_unit: " << problem.what() << '\n';
  }
  return 125;
}
