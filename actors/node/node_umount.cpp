#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

/// What ends a mount that is still being made; none if there is no such.
std::function<void(admin_promise)> cancel_of(const node_shell& my, const std::string& name_or_target) {
  const auto target = as_mounted(name_or_target);
  for (const auto& [name, making] : my.state().mounting)
    if (name == name_or_target || making.target == target)
      return making.cancel ? [cancel = making.cancel](admin_promise reply) { cancel(reply); }
                           : std::function<void(admin_promise)>{};
  return {};
}

void take_down(const node_shell& my, const running_mount& mount, busy_mount how, admin_promise reply) {
  if (!mount.entry.failure.empty()) return umount_failed_mount(my, mount.entry.name, how, reply);
  finish_trace(mount);
  my.self->request(mount.handle, my.tools->limits.unmount_timeout, unmount_request{how})
      .then(
          [=, name = mount.entry.name](unmounted) {
            // Torn down with its last user; without any, the answer waits until nothing is left of it.
            const auto still = my.state().mounts.find(name);
            if (still != my.state().mounts.end()) still->second.told_to_go = how;  // should it fail
            if (how == busy_mount::detach || still == my.state().mounts.end())
              return deliver(reply, admin_done{});
            still->second.umount_replies.push_back(reply);
            my.self->delayed_send(my.self, my.tools->limits.last_user_wait,
                                  umount_overdue{still->second.handle});
          },
          [=](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

}  // namespace

void umount(const node_shell& my, const admin_umount& asked, admin_promise reply) {
  with_mount(my, asked.mount, [=](const running_mount* mount) {
    const auto how = asked.lazy ? busy_mount::detach : busy_mount::refuse;
    if (mount != nullptr) return take_down(my, *mount, how, reply);
    if (const auto cancel = cancel_of(my, asked.mount)) return cancel(reply);
    refuse(reply, no_mount(asked.mount));
  });
}

void answer_overdue(const node_shell& my, const umount_overdue& what) {
  auto& mounts = my.state().mounts;
  const auto found = std::find_if(mounts.begin(), mounts.end(),
                                  [&](const auto& one) { return one.second.handle == what.mount; });
  if (found == mounts.end()) return;
  auto& mount = found->second;
  if (!mount.entry.failure.empty()) {
    if (mount.looks.counts(what.look)) look_at_failed(my, mount);
    return;
  }
  for (auto reply : std::exchange(mount.umount_replies, {})) deliver(reply, admin_done{});
}

}  // namespace firstlight::detail
