#include "fuse_bridge/mount_table.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace firstlight {
namespace {

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// The kernel writes blanks, tabs, newlines and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size() && is_octal(text[at + 1]) && is_octal(text[at + 2]) &&
        is_octal(text[at + 3])) {
      plain.push_back(
          static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0')));
      at += 3;
    } else {
      plain.push_back(text[at]);
    }
  }
  return plain;
}

// id parent device root point options [tag...] - type source options
bool parse_line(const std::string& line, mount_entry& entry) {
  std::istringstream fields(line);
  std::string id, parent, root, point, flags, word;
  if (!(fields >> id >> parent >> entry.device >> root >> point >> flags)) return false;
  while (fields >> word && word != "-") {
  }
  std::string source;
  if (!(fields >> entry.type >> source)) return false;
  fields >> entry.options;
  entry.point = unescaped(point);
  entry.options = unescaped(entry.options);
  return true;
}

result<std::vector<mount_entry>> read_mounts_of(const std::filesystem::path& process) {
  std::ifstream file(process / "mountinfo");
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return fail(errc::io, "read " + (process / "mountinfo").string());
  return parse_mountinfo(text.str());
}

/// A text that is equal for processes in the same mount namespace; empty if it cannot be told.
std::string namespace_of(const std::filesystem::path& process) {
  std::error_code problem;
  return std::filesystem::read_symlink(process / "ns/mnt", problem).string();
}

}  // namespace

std::vector<mount_entry> parse_mountinfo(std::string_view text) {
  std::vector<mount_entry> mounts;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    mount_entry entry;
    if (parse_line(line, entry)) mounts.push_back(std::move(entry));
  }
  return mounts;
}

bool has_layer(std::string_view options, std::string_view layer) {
  if (layer.empty()) return false;
  for (auto at = options.find(layer); at != std::string_view::npos; at = options.find(layer, at + 1)) {
    const char before = at == 0 ? '\0' : options[at - 1];
    const auto end = at + layer.size();
    const char after = end == options.size() ? ',' : options[end];
    const bool escaped = before == ':' && at >= 2 && options[at - 2] == '\\';
    if ((before == '=' || before == ':') && !escaped && (after == ':' || after == ',')) return true;
  }
  return false;
}

result<std::vector<mount_entry>> read_mount_table() {
  return read_mounts_of("/proc/self");
}

bool is_seen_elsewhere(const std::filesystem::path& point) {
  const auto own = read_mount_table();
  if (!own) return false;
  std::string device;
  for (const auto& mount : *own)
    if (mount.point == point) device = mount.device;
  std::set<std::string> here;
  for (const auto& mount : *own)
    if (mount.device == device) here.insert(mount.point);
  std::set<std::string> looked_at{namespace_of("/proc/self")};
  std::error_code none;
  for (const auto& process : std::filesystem::directory_iterator("/proc", none)) {
    const auto name = process.path().filename().string();
    if (here.empty() || name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto space = namespace_of(process.path());
    if (space.empty() || !looked_at.insert(space).second) continue;
    const auto mounts = read_mounts_of(process.path());  // an error: it has just ended
    if (mounts && std::any_of(mounts->begin(), mounts->end(), [&](const auto& mount) {
          return mount.device == device && !here.contains(mount.point);
        }))
      return true;
  }
  return false;
}

}  // namespace firstlight
