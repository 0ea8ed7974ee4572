#include "storage/toc_packing.hpp"

#include "storage/sha256.hpp"
#include "storage/zstd.hpp"

namespace firstlight {

result<made_toc> make_toc(toc_header header, const image_tree& tree) {
  made_toc made;
  made.contents = encode_content_ids(tree);
  header.contents_digest = sha256(made.contents);
  auto encoded = encode_toc(header, tree);
  if (!encoded) return tl::make_unexpected(encoded.error());
  made.tree = std::move(*encoded);
  made.id = {sha256(made.tree)};
  return made;
}

result<void> learn_checked(const toc_view& toc, shared_bytes contents) {
  if (sha256(contents.bytes) != toc.contents_digest())
    return fail(errc::corrupt, "content ids are not those that the table of contents names");
  return toc.learn_contents(std::move(contents));
}

bytes_view part_of(const toc_view& toc, toc_part part) {
  return part == toc_part::tree ? toc.message() : toc.content_ids();
}

result<toc_frame> pack_toc(const toc_view& toc, toc_part part, const toc_view* base, int level) {
  const auto bytes = part_of(toc, part);
  auto packed = base != nullptr ? compress_patch(bytes, part_of(*base, part), level) : compress(bytes, level);
  if (!packed) return tl::make_unexpected(packed.error());
  toc_frame frame;
  frame.part = part;
  frame.bytes = bytes.size();
  frame.frame = share(std::move(*packed));
  if (base != nullptr) frame.patch_base = toc_id{sha256(base->message())};
  return frame;
}

result<shared_bytes> unpack_toc(const toc_frame& frame, const digest& expected, const toc_view* base,
                                const segment_limits& limits) {
  if (frame.bytes > limits.toc_bytes_max)
    return fail(errc::limit_exceeded, "a table of contents of " + std::to_string(frame.bytes) + " bytes");
  if (frame.patch_base && base == nullptr)
    return fail(errc::not_ready, "the table of contents that a patch refers to is not here");
  auto bytes = frame.patch_base ? decompress_patch(frame.frame.bytes, part_of(*base, frame.part), frame.bytes)
                                : decompress(frame.frame.bytes, frame.bytes);
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (sha256(*bytes) != expected) return fail(errc::corrupt, "a table of contents does not match its id");
  return share(std::move(*bytes));
}

}  // namespace firstlight
