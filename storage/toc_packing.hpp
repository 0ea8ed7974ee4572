#pragma once
#include "config/segment_limits.hpp"
#include "model/transfer.hpp"
#include "schemas/toc.hpp"

namespace firstlight {

/// A new TOC: both parts, and the id that covers them.
struct made_toc {
  toc_id id;
  std::vector<std::byte> tree;
  std::vector<std::byte> contents;
};

/// Serializes a TOC; fills in the header's `contents_digest`. Errors: those of `encode_toc`.
[[nodiscard]] result<made_toc> make_toc(toc_header header, const image_tree& tree);

/// Whether these are the contents that the tree names. Errors: `corrupt`.
[[nodiscard]] result<void> check_contents(const toc_view& toc, bytes_view contents);

/// Gives an opened TOC its contents, once they have been checked. Errors: `corrupt`.
[[nodiscard]] result<void> learn_checked(const toc_view& toc, shared_bytes contents);

/// One part of a TOC whose contents are known.
[[nodiscard]] bytes_view part_of(const toc_view& toc, toc_part part);

/// Packs a part for a receiver that has none, or the TOC in `base` (may be null). Contents of both are known.
[[nodiscard]] result<toc_frame> pack_toc(const toc_view& toc, toc_part part, const toc_view* base, int level);

/// Unpacks a part; comparing it with its digest is left to the caller. `base` is the TOC that
/// `frame.patch_base` names, null without one. Errors: `corrupt`, `limit_exceeded`, `not_ready` (no base).
[[nodiscard]] result<shared_bytes> unpack_toc(const toc_frame& frame, const toc_view* base,
                                              const segment_limits& limits = {});

}  // namespace firstlight
