#include "fuse_bridge/stale_mounts.hpp"

#include <algorithm>
#include <set>

#include "fuse_bridge/kernel_mount.hpp"
#include "fuse_bridge/mount_table.hpp"

namespace firstlight {
namespace {

bool is_below(std::string_view path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    plain.push_back(text[at]);
  }
  return plain;
}

bool reads_from(const mount_entry& overlay, const std::string& folder) {
  constexpr std::string_view key = "lowerdir=";
  const auto at = overlay.options.find(key);
  return at != std::string::npos &&
         is_below(without_escapes(std::string_view(overlay.options).substr(at + key.size())), folder);
}

bool is_ours(const mount_entry& mount, const std::string& folder, const std::set<std::string>& devices) {
  if (is_below(mount.point, folder)) return true;
  if (mount.type == "overlay") return reads_from(mount, folder);
  return mount.type == "fuse.firstlight" && devices.contains(mount.device);
}

/// Those of `mounts` that belong to FUSE mounts below `folder`: these themselves, and what shows them
/// elsewhere.
std::vector<mount_entry> mounts_of(const std::vector<mount_entry>& mounts, const std::string& folder) {
  std::set<std::string> devices;
  for (const auto& mount : mounts)
    if (is_below(mount.point, folder)) devices.insert(mount.device);
  std::vector<mount_entry> ours;
  for (const auto& mount : mounts)
    if (is_ours(mount, folder, devices)) ours.push_back(mount);
  return ours;
}

result<void> remove_folders(const std::filesystem::path& folder, const std::set<std::string>& kept) {
  std::error_code problem;
  for (auto& child : std::filesystem::directory_iterator(folder, problem)) {
    if (kept.contains(child.path().filename().string())) continue;
    std::filesystem::remove(child.path() / "fuse", problem);
    std::filesystem::remove(child.path(), problem);
    if (problem) return fail(errc::io, "remove " + child.path().string() + ": " + problem.message());
  }
  return {};
}

}  // namespace

result<std::vector<std::string>> clean_stale_mounts(const std::filesystem::path& mounts_folder,
                                                    const std::set<std::string>& kept) {
  std::error_code problem;
  const auto folder = std::filesystem::canonical(mounts_folder, problem).string();
  if (problem == std::errc::no_such_file_or_directory) return std::vector<std::string>{};
  if (problem) return fail(errc::io, "resolve " + mounts_folder.string() + ": " + problem.message());
  const auto table = read_mount_table();
  if (!table) return tl::unexpected(table.error());
  std::set<std::string> stay;
  for (const auto& name : kept)
    for (const auto& mount : mounts_of(*table, folder + "/" + name)) stay.insert(mount.point);
  auto mounts = mounts_of(*table, folder);
  // What lies on top goes first.
  std::reverse(mounts.begin(), mounts.end());
  std::vector<std::string> detached;
  result<void> outcome;
  for (const auto& mount : mounts) {
    if (stay.contains(mount.point)) continue;
    const auto gone = unmount(mount.point, busy_mount::detach);
    if (gone)
      detached.push_back(mount.point);
    else if (outcome)
      outcome = gone;
  }
  if (outcome) outcome = remove_folders(folder, kept);
  if (!outcome) return tl::unexpected(outcome.error());
  return detached;
}

result<bool> shows(const std::filesystem::path& target, const std::filesystem::path& private_folder) {
  std::error_code problem;
  const auto folder = std::filesystem::canonical(private_folder, problem).string();
  if (problem) return fail(errc::io, "resolve " + private_folder.string() + ": " + problem.message());
  const auto table = read_mount_table();
  if (!table) return tl::unexpected(table.error());
  const auto ours = mounts_of(*table, folder);
  return std::any_of(ours.begin(), ours.end(),
                     [&](const mount_entry& mount) { return mount.point == target; });
}

}  // namespace firstlight
