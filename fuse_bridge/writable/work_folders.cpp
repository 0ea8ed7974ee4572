#include "fuse_bridge/writable/work_folders.hpp"

namespace firstlight {

result<void> remove_work_folders(const std::filesystem::path& work) {
  const work_folders folders(work);
  for (const auto& folder : {folders.making, folders.kept, folders.exchanges}) {
    std::error_code problem;
    std::filesystem::remove_all(folder, problem);
    if (problem) return fail(errc::io, "remove " + folder.string() + ": " + problem.message());
  }
  return {};
}

}  // namespace firstlight
