#pragma once
#include "model/delta.hpp"
#include "model/learned_order.hpp"
#include "schemas/toc.hpp"

namespace firstlight {

/// The content table of a TOC, by number. Its contents are known.
[[nodiscard]] std::vector<content_info> contents_of(const toc_view& toc);

/// For each content of a TOC the path of the first file that has it; empty where none has.
[[nodiscard]] std::vector<std::string> content_paths(const toc_view& toc);

/// The content of the regular file at a path; nothing for an empty file. Errors: `not_found`; for other types
/// `invalid_argument`.
[[nodiscard]] result<std::optional<std::uint32_t>> content_at(const toc_view& toc, std::string_view path);

/// A trace with the contents of its files instead of their paths. Errors: `invalid_argument` if it names what
/// is not a file of this image, blocks behind a file's end, or a block twice.
[[nodiscard]] result<observed_start> observe(const toc_view& toc, const trace& recorded);

}  // namespace firstlight
