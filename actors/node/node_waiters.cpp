#include <fstream>

#include "actors/node/gather.hpp"
#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

/// The name of a process or thread; empty when it has ended.
std::string command_of(std::uint32_t thread) {
  std::ifstream in("/proc/" + std::to_string(thread) + "/comm");
  std::string name;
  std::getline(in, name);
  return name;
}

admin_waiter describe(const mount_facts& mount, const waiting_read& one, std::int64_t now_ms) {
  const auto block_bytes = mount.image.toc->geometry().block_bytes;
  const auto first = static_cast<std::uint32_t>(one.offset / block_bytes);
  const auto last = static_cast<std::uint32_t>((one.offset + std::max(one.bytes, 1U) - 1) / block_bytes);
  return {.mount = mount.name,
          .reference = mount.image.record.reference,
          .process = one.thread,
          .command = command_of(one.thread),
          .path = one.path,
          .offset = one.offset,
          .bytes = one.bytes,
          .first_block = first,
          .blocks = last - first + 1,
          .since_ms = now_ms - one.waiting.count(),
          .waiting_ms = static_cast<std::uint64_t>(one.waiting.count()),
          .cause = one.cause};
}

admin_waiters of_mount(const mount_facts& mount, const instance_status& status) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  admin_waiters said{{}, status.waiting_now};
  for (const auto& one : status.waiting) said.waiters.push_back(describe(mount, one, now.count()));
  return said;
}

admin_waiters together(std::vector<admin_waiters> mounts) {
  admin_waiters all;
  for (auto& of_one : mounts) {
    all.count += of_one.count;
    std::move(of_one.waiters.begin(), of_one.waiters.end(), std::back_inserter(all.waiters));
  }
  std::stable_sort(all.waiters.begin(), all.waiters.end(),
                   [](const admin_waiter& a, const admin_waiter& b) { return a.waiting_ms > b.waiting_ms; });
  return all;
}

}  // namespace

void waiters(const node_shell& my, admin_promise reply) {
  const auto& mounts = my.state().mounts;
  if (mounts.empty()) return deliver(reply, admin_waiters{});
  auto all = std::make_shared<collection<admin_waiters>>(
      collection<admin_waiters>{{}, mounts.size(), [reply](std::vector<admin_waiters> answers) {
                                  deliver(reply, together(std::move(answers)));
                                }});
  for (const auto& [name, mount] : mounts)
    my.self->request(mount.handle, my.tools->limits.report_timeout, caf::get_atom_v)
        .then(
            [all, entry = mount.entry](const instance_status& status) {
              all->answers.push_back(of_mount(entry, status));
              all->settle();
            },
            [all](const caf::error&) { all->settle(); });
}

void receivers(const node_shell& my, admin_promise reply) {
  gather_deliveries(my, [reply](std::vector<admin_delivery> deliveries) {
    deliver(reply, admin_receivers{std::move(deliveries)});
  });
}

}  // namespace firstlight::detail
