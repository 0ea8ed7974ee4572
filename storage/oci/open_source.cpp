#include "storage/oci/open_source.hpp"

#include "storage/oci/layout_source.hpp"
#include "storage/oci/registry_source.hpp"

namespace firstlight {
namespace {

std::filesystem::path spool_folder(const source_options& options) {
  if (!options.spool_folder.empty()) return options.spool_folder;
  std::error_code none;
  auto folder = std::filesystem::temp_directory_path(none);
  return none ? std::filesystem::path("/tmp") : folder;
}

}  // namespace

result<std::unique_ptr<image_source>> open_image_source(const image_reference& reference,
                                                        source_options options) {
  if (reference.transport == image_transport::registry) return make_registry_source(reference, options);
  auto files = reference.transport == image_transport::oci_layout
                   ? open_folder(reference.path)
                   : open_archive(reference.path, spool_folder(options), options.limits);
  if (!files) return tl::unexpected(files.error());
  if (reference.transport == image_transport::docker_archive) {
    return make_docker_archive_source(std::move(*files), reference.tag, options.limits);
  }
  return make_layout_source(std::move(*files), reference.tag, options.limits);
}

}  // namespace firstlight
