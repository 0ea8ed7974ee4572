#include <sys/stat.h>

#include "storage/oci/file_source.hpp"
#include "storage/oci/layout_files.hpp"

namespace firstlight {
namespace {

class folder_files : public layout_files {
 public:
  explicit folder_files(const std::filesystem::path& folder) : folder_(folder.string()) {}

  result<std::unique_ptr<byte_source>> open(const std::string& file) const override {
    const std::string path = folder_ + "/" + file;
    auto opened = open_regular(path);
    if (!opened) return tl::unexpected(opened.error());
    return std::make_unique<file_source>(std::move(opened->file), path, 0, opened->size);
  }
  [[nodiscard]] const std::string& name() const override { return folder_; }

 private:
  std::string folder_;
};

}  // namespace

result<std::unique_ptr<layout_files>> open_folder(const std::filesystem::path& folder) {
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) return tl::unexpected(from_errno(errno, folder.string()));
  if (!S_ISDIR(status.st_mode)) return fail(errc::invalid_argument, folder.string() + " is no folder");
  return std::make_unique<folder_files>(folder);
}

}  // namespace firstlight
