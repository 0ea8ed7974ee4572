#pragma once
#include "storage/oci/image_source.hpp"
#include "storage/oci/layout_files.hpp"

namespace firstlight {

/// An image in an OCI layout; `tag` picks from its index, "" means the only one there is.
[[nodiscard]] std::unique_ptr<image_source> make_layout_source(std::unique_ptr<layout_files> files,
                                                               std::string tag, const ingest_limits& limits);

/// An image in what `docker save` writes; `wanted_name` ("redis:7") picks one, "" means the only one there
/// is. Such archives have no manifest: one is made from the configuration and the layers.
[[nodiscard]] std::unique_ptr<image_source> make_docker_archive_source(std::unique_ptr<layout_files> files,
                                                                       std::string wanted_name,
                                                                       const ingest_limits& limits);

}  // namespace firstlight
