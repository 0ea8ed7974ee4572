#include "model/mount_mode.hpp"

#include <array>
#include <utility>

namespace firstlight {
namespace {

constexpr std::array<std::pair<mount_mode, std::string_view>, 4> names{{{mount_mode::automatic, "auto"},
                                                                        {mount_mode::hybrid, "hybrid"},
                                                                        {mount_mode::overlay, "overlay"},
                                                                        {mount_mode::fuse, "fuse"}}};

}  // namespace

std::string_view to_string(mount_mode mode) {
  for (const auto& [known, name] : names)
    if (known == mode) return name;
  return "unknown";
}

result<mount_mode> parse_mount_mode(std::string_view text) {
  if (text.empty()) return mount_mode::automatic;
  for (const auto& [mode, name] : names)
    if (name == text) return mode;
  return fail(errc::invalid_argument,
              "'" + std::string(text) + "' is no way to mount; use auto, hybrid, overlay or fuse");
}

}  // namespace firstlight
