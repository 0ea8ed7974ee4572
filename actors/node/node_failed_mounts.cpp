#include <spdlog/spdlog.h>

#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

void forget(const node_shell& my, const std::string& name) {
  const auto mount = std::move(my.state().mounts.extract(name).mapped());
  my.state().events.note("unmounted", name);
  clean_after(my, mount.record);
  for (auto reply : mount.umount_replies) deliver(reply, admin_done{});
}

running_mount* find_failed(const node_shell& my, const std::string& name) {
  const auto found = my.state().mounts.find(name);
  const bool there = found != my.state().mounts.end() && !found->second.entry.failure.empty();
  return there ? &found->second : nullptr;
}

void answer(const std::optional<admin_promise>& reply) {
  if (reply) deliver(*reply, admin_done{});
}

void look_later(const node_shell& my, const running_mount& mount) {
  my.self->delayed_send(my.self, my.tools->limits.last_user_wait, umount_overdue{mount.handle});
}

/// Nobody tells of its last user, so it is asked for again until nothing is left.
void on_taken_down(const node_shell& my, const std::string& name, busy_mount how,
                   const std::optional<admin_promise>& reply) {
  auto* mount = find_failed(my, name);
  if (mount == nullptr) return answer(reply);
  if (!stays_mounted(my, name)) {
    forget(my, name);
    return answer(reply);
  }
  if (how == busy_mount::refuse && reply)
    mount->umount_replies.push_back(*reply);
  else
    answer(reply);
  if (!std::exchange(mount->looked_after, true)) look_later(my, *mount);
}

void on_not_taken_down(const node_shell& my, const std::string& name, const error& why) {
  spdlog::warn("mount {} has failed and stays: {}", name, to_string(why));
  auto* mount = find_failed(my, name);
  if (mount != nullptr && !std::exchange(mount->looked_after, true)) look_later(my, *mount);
}

}  // namespace

bool stays_mounted(const node_shell& my, const std::string& name) {
  std::error_code problem;
  return std::filesystem::exists(my.tools->run_folder / private_mounts_folder / name, problem);
}

void keep_failed(const node_shell& my, running_mount& mount) {
  mount.entry.failure =
      "what has not arrived gives EIO; 'firstlight umount' takes it down, and after a restart "
      "of the node it goes on";
  mount.recorder.reset();
  mount.tracing = tracer{};
  my.state().events.note("failed", mount.entry.name);
  spdlog::error("mount {} has failed and is used: {}", mount.entry.name, mount.entry.failure);
  for (auto reply : std::exchange(mount.umount_replies, {})) deliver(reply, admin_done{});
  look_later(my, mount);  // its bridge may be about to take away what nobody uses
}

void look_at_failed(const node_shell& my, const std::string& name, running_mount& mount) {
  if (std::exchange(mount.looked_after, false))
    umount_failed_mount(my, name, busy_mount::detach, std::nullopt);
  else if (stays_mounted(my, name))
    look_later(my, mount);
  else
    forget(my, std::string(name));  // the mount has the name
}

void leave_failed(const node_shell& my) {
  std::erase_if(my.state().mounts, [](const auto& one) {
    const bool failed = !one.second.entry.failure.empty();
    for (auto reply : one.second.umount_replies)
      if (failed) deliver(reply, admin_done{});
    return failed;
  });
}

void umount_failed_mount(const node_shell& my, const std::string& name, busy_mount how,
                         const std::optional<admin_promise>& reply) {
  my.self->request(my.tools->mounts, my.tools->limits.unmount_timeout, unmount_failed{name, how})
      .then([=](unmounted) { on_taken_down(my, name, how, reply); },
            [=](const caf::error& problem) {
              if (reply) return refuse(*reply, from_caf(problem));
              on_not_taken_down(my, name, from_caf(problem));
            });
}

}  // namespace firstlight::detail
