#include "storage/dense_packing.hpp"

#include "schemas/toc_contents.hpp"

namespace firstlight {

result<std::uint32_t> pack_image_densely(const dense_packing_tools& tools, const toc_id& image,
                                         const stored_order& order) {
  const auto stopped = [&] { return tools.stop != nullptr && *tools.stop; };
  if (stopped()) return fail(errc::cancelled, "the hub ends");
  const auto toc = tools.catalogue.toc(image);
  if (!toc) return tl::unexpected(toc.error());
  const auto contents = contents_of(**toc);
  const had_contents nothing;
  const auto runs = as_content_order(order);
  const auto plan = plan_bundle({contents, (*toc)->geometry(), nothing, runs, {}, tools.cut});
  std::uint64_t bytes = 0;
  std::uint32_t smaller = 0;
  for (std::uint32_t at = 0; at < plan.landmarks.front().after; ++at) {
    if (stopped()) return fail(errc::cancelled, "the hub ends");
    bytes += plan.segments[at].bytes;
    if (bytes > tools.limits.bytes_max) break;
    const auto packed = tools.builder.pack_densely(plan.segments[at], contents);
    if (!packed) return tl::unexpected(packed.error());
    smaller += *packed ? 1 : 0;
  }
  return smaller;
}

}  // namespace firstlight
