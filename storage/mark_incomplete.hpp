#pragma once
#include <string>
#include <vector>

#include "storage/content_store.hpp"
#include "storage/image_catalogue.hpp"

namespace firstlight {

/// Images that count as complete and lack contents count as incomplete from now on: their files were lost,
/// as by a power cut, and are fetched again as what never arrived. Those whose table of contents cannot be
/// read are passed over. Reads the table of each complete image. @returns their references.
/// Errors: those of the catalogue.
[[nodiscard]] result<std::vector<std::string>> mark_incomplete(image_catalogue& catalogue,
                                                               const content_store& contents);

}  // namespace firstlight
