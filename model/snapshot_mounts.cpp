#include "model/snapshot_mounts.hpp"

namespace firstlight {
namespace {

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

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ":") + part;
  return all;
}

mount_spec bind(std::string source, const char* access) {
  return {"bind", std::move(source), {access, "rbind"}};
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
  if (data_only)
    options.insert(options.end(), {"metacopy=on", written ? "redirect_dir=on" : "redirect_dir=follow"});
  if (written) {
    options.push_back("workdir=" + snapshot_work(places.folder, snapshot.id));
    options.push_back("upperdir=" + snapshot_files(places.folder, snapshot.id));
  }
  options.push_back("lowerdir=" + lower);
  return overlay;
}

}  // namespace firstlight
