#include "model/snapshot_mounts.hpp"

#include <algorithm>
#include <string_view>

namespace firstlight {
namespace {

constexpr std::string_view lower_option = "lowerdir=";

std::string folder_of(const std::string& folder, std::uint64_t id) {
  return folder + "/" + std::to_string(id);
}

std::vector<std::string> lowers(const std::vector<snapshot_record>& parents, const snapshot_places& places) {
  std::vector<std::string> all;
  for (const auto& parent : parents) {
    if (parent.remote) {
      all.push_back(places.remote_lower);
      break;
    }
    all.push_back(snapshot_files(places.folder, parent.id));
  }
  return all;
}

/// The kernel refuses marks that overlayfs left in an upper folder (EPERM) to a mount without the options
/// that write them. A node may show the same image in another mode later, so they do not depend on the mode.
bool above_image(const std::vector<snapshot_record>& parents) {
  return std::any_of(parents.begin(), parents.end(),
                     [](const auto& parent) { return parent.remote.has_value(); });
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ":") + part;
  return all;
}

mount_spec bind(std::string source, const char* access) {
  return {"bind", std::move(source), {access, "rbind"}};
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (auto end = text.find(by); end != std::string_view::npos; end = text.find(by)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

/// Of the folder that all lie in, with its slash; 0: there is none.
std::size_t common_folder_bytes(const std::vector<std::string_view>& paths) {
  auto common = paths.front();
  for (const auto path : paths) {
    const auto same = std::mismatch(common.begin(), common.end(), path.begin(), path.end()).first;
    common = common.substr(0, static_cast<std::size_t>(same - common.begin()));
  }
  const auto slash = common.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return 0;
  const bool below =
      std::all_of(paths.begin(), paths.end(), [&](auto path) { return path.size() > slash + 1; });
  return below ? slash + 1 : 0;
}

}  // namespace

std::string snapshot_files(const std::string& folder, std::uint64_t id) {
  return folder_of(folder, id) + "/fs";
}
std::string snapshot_work(const std::string& folder, std::uint64_t id) {
  return folder_of(folder, id) + "/work";
}

mount_spec snapshot_mount(const snapshot_record& snapshot, const std::vector<snapshot_record>& parents,
                          const snapshot_places& places) {
  const bool written = snapshot.kind == snapshot_kind::active;
  const auto below = lowers(parents, places);
  if (below.empty()) return bind(snapshot_files(places.folder, snapshot.id), written ? "rw" : "ro");
  const auto lower = joined(below);
  const bool data_only = lower.find("::") != std::string::npos;  // a tree whose contents lie elsewhere
  if (!written && below.size() == 1 && !data_only) return bind(lower, "ro");
  mount_spec overlay{"overlay", "overlay", {"index=off"}};
  auto& options = overlay.options;
  if (above_image(parents))
    options.insert(options.end(), {"metacopy=on", written ? "redirect_dir=on" : "redirect_dir=follow"});
  if (written) {
    options.push_back("workdir=" + snapshot_work(places.folder, snapshot.id));
    options.push_back("upperdir=" + snapshot_files(places.folder, snapshot.id));
  }
  options.push_back(std::string(lower_option) + lower);
  return overlay;
}

std::size_t mount_option_bytes(const mount_spec& mount) {
  std::size_t bytes = 0;
  for (const auto& option : mount.options) {
    bytes += option.size() + (bytes == 0 ? 0 : 1);  // a comma between them
    if (!option.starts_with(lower_option)) continue;
    const auto folders = split(std::string_view(option).substr(lower_option.size()), ':');
    if (folders.size() > 1) bytes -= folders.size() * common_folder_bytes(folders);
  }
  return bytes;
}

}  // namespace firstlight
