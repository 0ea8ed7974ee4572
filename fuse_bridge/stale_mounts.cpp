#include "fuse_bridge/stale_mounts.hpp"

#include <algorithm>
#include <set>

#include "fuse_bridge/kernel_mount.hpp"
#include "fuse_bridge/mount_assembly.hpp"
#include "fuse_bridge/mount_table.hpp"
#include "storage/file_io.hpp"

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
    std::filesystem::remove(record_file(child.path()), problem);
    mount_place::remove_notes_of(child.path(), problem);
    std::filesystem::remove(child.path(), problem);
    if (problem) return fail(errc::io, "remove " + child.path().string() + ": " + problem.message());
  }
  return {};
}

/// Detaches in the reverse of the table's order: what lies on top goes first.
struct detached_mounts {
  std::vector<std::string> points;
  result<void> outcome;  ///< the first failure; the others have been tried
};
detached_mounts detach_all(std::vector<mount_entry> mounts) {
  std::reverse(mounts.begin(), mounts.end());
  detached_mounts done;
  for (const auto& mount : mounts) {
    const auto gone = unmount(mount.point, busy_mount::detach);
    if (gone)
      done.points.push_back(mount.point);
    else if (done.outcome)
      done.outcome = gone;
  }
  return done;
}

/// A path as the mount table has it, without a look at it: what is mounted there may be dead. Empty if the
/// folder above is not there.
result<std::string> as_in_table(const std::filesystem::path& folder) {
  std::error_code problem;
  const auto above = std::filesystem::canonical(folder.parent_path(), problem);
  if (problem == std::errc::no_such_file_or_directory) return std::string{};
  if (problem) return fail(errc::io, "resolve " + folder.parent_path().string() + ": " + problem.message());
  return (above / folder.filename()).string();
}

}  // namespace

result<std::vector<std::string>> clean_stale_mounts(const std::filesystem::path& mounts_folder,
                                                    const std::set<std::string>& kept) {
  const auto folder = as_in_table(mounts_folder);
  if (!folder) return tl::unexpected(folder.error());
  if (folder->empty()) return std::vector<std::string>{};
  const auto table = read_mount_table();
  if (!table) return tl::unexpected(table.error());
  std::set<std::string> stay;
  for (const auto& name : kept)
    for (const auto& mount : mounts_of(*table, *folder + "/" + name)) stay.insert(mount.point);
  auto mounts = mounts_of(*table, *folder);
  std::erase_if(mounts, [&](const mount_entry& mount) { return stay.contains(mount.point); });
  auto done = detach_all(std::move(mounts));
  if (done.outcome) done.outcome = remove_folders(*folder, kept);
  if (!done.outcome) return tl::unexpected(done.outcome.error());
  return std::move(done.points);
}

result<std::vector<std::string>> clean_stale_hybrid_mounts(const std::filesystem::path& trees,
                                                           const std::filesystem::path& contents,
                                                           const std::set<std::string>& kept,
                                                           content_mount_is what) {
  const auto folder = as_in_table(trees);
  const auto content_point = as_in_table(contents);
  if (!folder) return tl::unexpected(folder.error());
  if (!content_point) return tl::unexpected(content_point.error());
  auto table = read_mount_table();
  if (!table) return tl::unexpected(table.error());
  std::erase_if(*table, [&](const mount_entry& mount) {
    if (mount.type == "overlay" && !folder->empty() && reads_from(mount, *folder))
      return kept.contains(mount.point);
    if (!folder->empty() && is_below(mount.point, *folder)) return false;
    return what == content_mount_is::kept || mount.point != *content_point;
  });
  auto done = detach_all(std::move(*table));
  if (done.outcome && !folder->empty()) done.outcome = remove_folders(*folder, {});
  if (!done.outcome) return tl::unexpected(done.outcome.error());
  return std::move(done.points);
}

result<std::vector<kept_mount>> find_hybrid_mounts(const std::filesystem::path& mounts_folder,
                                                   const std::filesystem::path& trees) {
  const auto folder = as_in_table(trees);
  if (!folder) return tl::unexpected(folder.error());
  std::vector<kept_mount> found;
  std::error_code problem;
  if (folder->empty() || !std::filesystem::exists(mounts_folder, problem)) return found;
  const auto table = read_mount_table();
  if (!table) return tl::unexpected(table.error());
  for (const auto& child : std::filesystem::directory_iterator(mounts_folder, problem)) {
    const auto bytes = map_file(record_file(child.path()));
    if (!bytes) continue;  // another kind of mount, or one that was not finished
    auto record = decode_mount_record(bytes->bytes);
    const auto shown = [&](const mount_entry& mount) {
      if (mount.point != record->target) return false;
      return record->for_overlays ? mount.type == "erofs"
                                  : mount.type == "overlay" && reads_from(mount, *folder);
    };
    if (record && std::any_of(table->begin(), table->end(), shown))
      found.push_back({child.path().filename().string(), std::move(*record), {}});
  }
  if (problem) return fail(errc::io, "read " + mounts_folder.string() + ": " + problem.message());
  return found;
}

result<bool> shows(const std::filesystem::path& target, const std::filesystem::path& private_folder) {
  const auto folder = as_in_table(private_folder);
  if (!folder) return tl::unexpected(folder.error());
  if (folder->empty()) return false;
  const auto table = read_mount_table();
  if (!table) return tl::unexpected(table.error());
  const auto ours = mounts_of(*table, *folder);
  return std::any_of(ours.begin(), ours.end(),
                     [&](const mount_entry& mount) { return mount.point == target; });
}

}  // namespace firstlight
