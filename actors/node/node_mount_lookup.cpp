#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

running_mount* find_mount(const node_shell& my, const std::string& name_or_target) {
  auto& mounts = my.state().mounts;
  if (const auto named = mounts.find(name_or_target); named != mounts.end()) return &named->second;
  const auto target = as_mounted(name_or_target);
  for (auto& [name, mount] : mounts)
    if (mount.entry.target == target) return &mount;
  return nullptr;
}

/// Nothing else that is being made lacks what ends it.
bool is_being_taken_over(const node_shell& my, const std::string& name_or_target) {
  if (my.state().taking_over == 0) return false;
  const auto target = as_mounted(name_or_target);
  const auto& mounting = my.state().mounting;
  return std::any_of(mounting.begin(), mounting.end(), [&](const auto& one) {
    const auto& [name, making] = one;
    return !making.cancel && (name == name_or_target || making.target == target);
  });
}

}  // namespace

std::filesystem::path as_mounted(const std::filesystem::path& path) {
  const auto plain = path.has_filename() ? path : path.parent_path();
  std::error_code problem;
  auto real = std::filesystem::weakly_canonical(plain, problem);
  return problem ? plain : real;
}

std::uint32_t mounts_of(const node_shell& my, const image_key& key) {
  const auto& mounts = my.state().mounts;
  const auto shows = [&](const auto& mount) { return key_of(mount.second.entry.image.record) == key; };
  return static_cast<std::uint32_t>(std::count_if(mounts.begin(), mounts.end(), shows));
}

bool is_mounted(const node_shell& my, const image_key& key) {
  return mounts_of(my, key) > 0;
}

error no_mount(const std::string& name_or_target) {
  return {errc::not_found, name_or_target + " is no mount; 'firstlight ls' shows them"};
}

void with_mount(const node_shell& my, const std::string& name_or_target,
                const std::function<void(running_mount*)>& then) {
  auto* mount = find_mount(my, name_or_target);
  if (mount != nullptr || !is_being_taken_over(my, name_or_target)) return then(mount);
  once_taken_over(my, [=] { with_mount(my, name_or_target, then); });
}

}  // namespace firstlight::detail
