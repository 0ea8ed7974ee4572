#include "fuse_bridge/upper_root.hpp"

#include <sys/xattr.h>

namespace firstlight {
namespace {

constexpr const char* given_mark = "trusted.overlay.firstlight.root";  // overlayfs hides it, and commits too

}  // namespace

result<void> give_root_once(const std::filesystem::path& upper, const std::function<result<void>()>& give) {
  if (lgetxattr(upper.c_str(), given_mark, nullptr, 0) >= 0) return {};
  std::error_code problem;
  const bool empty = std::filesystem::is_empty(upper, problem);
  if (problem) return fail(errc::io, "read " + upper.string() + ": " + problem.message());
  if (empty)  // else a mount has that left no mark
    if (auto given = give(); !given) return given;
  // A disk that takes no marks suits no overlay; in mode fuse they are then given again while nothing is
  // there.
  lsetxattr(upper.c_str(), given_mark, "y", 1, 0);
  return {};
}

}  // namespace firstlight
