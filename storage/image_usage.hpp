#pragma once
#include "model/snapshot_record.hpp"
#include "schemas/toc.hpp"
#include "storage/content_store.hpp"

namespace firstlight {

/// What the store holds of an image by now: bytes of whole blocks that have arrived, and files that have
/// some. What `below`, if given, also has does not count: it is another image's, on which this one builds.
/// Contents that are not known yet have not arrived. Any thread.
[[nodiscard]] snapshot_usage measure_arrived(const toc_view& image, const toc_view* below,
                                             const content_store& store);

}  // namespace firstlight
