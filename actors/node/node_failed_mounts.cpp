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

void answer_all(running_mount& mount, const std::optional<error>& problem) {
  for (auto reply : std::exchange(mount.umount_replies, {}))
    problem ? refuse(reply, *problem) : deliver(reply, admin_done{});
}

std::filesystem::path folder_of(const node_shell& my, const std::string& name) {
  return my.tools->run_folder / private_mounts_folder / name;
}

void look_later(const node_shell& my, const running_mount& mount, const failed_looks::look& next) {
  my.self->delayed_send(my.self, next.wait, umount_overdue{mount.handle, next.number});
}

/// Whether another look is worth it, which then is to come.
bool look_again_in_vain(const node_shell& my, running_mount& mount) {
  const auto next = mount.looks.in_vain();
  if (next) look_later(my, mount, *next);
  return next.has_value();
}

/// A question to the mounter: of a user who waits for the answer, or of a look.
struct question {
  std::string name;
  busy_mount how = busy_mount::refuse;
  std::optional<admin_promise> reply{};
};

/// Programs use what is left. Nobody tells of the last of them, so it is asked for again until nothing is.
void on_held(const node_shell& my, running_mount& mount, const question& asked) {
  if (!asked.reply || asked.how == busy_mount::detach) answer_all(mount, std::nullopt);
  look_later(my, mount, asked.reply ? mount.looks.begin() : mount.looks.in_use());
}

/// Its bridge may be about to hand it over, or to remove what is left of it.
void on_unheld(const node_shell& my, running_mount& mount, const question& asked) {
  if (asked.reply) return look_later(my, mount, mount.looks.begin());
  const auto folder = folder_of(my, asked.name);
  std::error_code problem;
  std::filesystem::remove(folder, problem);  // only an empty one: nothing is mounted below it
  if (!stays_mounted(my, asked.name)) return forget(my, asked.name);
  const auto why = "nothing holds it any more, but its folder " + folder.string() +
                   " cannot be removed: " + problem.message() +
                   "; unmount what is mounted below it, remove it, then 'firstlight umount " + asked.name +
                   "'";
  answer_all(mount, error{errc::failed_precondition, "mount " + asked.name + " has failed: " + why});
  if (look_again_in_vain(my, mount)) return;
  mount.told_to_go.reset();
  mount.entry.failure = why;
  spdlog::error("mount {} has failed and stays: {}", asked.name, why);
}

void on_refused(running_mount& mount, const question& asked, const error& why) {
  if (asked.reply) return refuse(*asked.reply, why);
  spdlog::warn("mount {} has failed and stays: {}", asked.name, to_string(why));
  mount.told_to_go.reset();
  answer_all(mount, why);
}

void on_answer(const node_shell& my, const question& asked, const std::optional<error>& problem) {
  auto* mount = find_failed(my, asked.name);
  if (mount == nullptr) return asked.reply ? deliver(*asked.reply, admin_done{}) : void();
  const bool unheld = problem && problem->code == errc::not_found;
  if (problem && !unheld) return on_refused(*mount, asked, *problem);
  if (asked.reply) {
    mount->told_to_go = asked.how;
    mount->umount_replies.push_back(*asked.reply);
  }
  if (!stays_mounted(my, asked.name)) return forget(my, asked.name);
  unheld ? on_unheld(my, *mount, asked) : on_held(my, *mount, asked);
}

void take_down(const node_shell& my, const question& asked) {
  my.self->request(my.tools->mounts, my.tools->limits.unmount_timeout, unmount_failed{asked.name, asked.how})
      .then([=](unmounted) { on_answer(my, asked, std::nullopt); },
            [=](const caf::error& problem) { on_answer(my, asked, from_caf(problem)); });
}

}  // namespace

bool stays_mounted(const node_shell& my, const std::string& name) {
  std::error_code problem;
  return std::filesystem::exists(folder_of(my, name), problem);
}

void keep_failed(const node_shell& my, running_mount& mount) {
  mount.entry.failure =
      "what has not arrived gives EIO; 'firstlight umount' takes it down, and after a restart "
      "of the node it goes on";
  mount.recorder.reset();
  mount.tracing = tracer{};
  my.state().events.note("failed", mount.entry.name);
  spdlog::error("mount {} has failed and is used: {}", mount.entry.name, mount.entry.failure);
  answer_all(mount, std::nullopt);
  look_later(my, mount, mount.looks.begin());  // its bridge may be about to take away what nobody uses
}

void look_at_failed(const node_shell& my, running_mount& mount) {
  const auto name = mount.entry.name;
  if (!stays_mounted(my, name)) return forget(my, name);
  // In the way that was asked for: what nobody held then may turn out to be in use.
  if (mount.told_to_go) return take_down(my, {name, *mount.told_to_go});
  look_again_in_vain(my, mount);
}

void leave_failed(const node_shell& my) {
  std::erase_if(my.state().mounts, [](const auto& one) {
    const bool failed = !one.second.entry.failure.empty();
    for (auto reply : one.second.umount_replies)
      if (failed) deliver(reply, admin_done{});
    return failed;
  });
}

void umount_failed_mount(const node_shell& my, const std::string& name, busy_mount how, admin_promise reply) {
  take_down(my, {name, how, reply});
}

}  // namespace firstlight::detail
