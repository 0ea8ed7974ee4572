#pragma once
#include <cstdint>
#include <optional>

#include "storage/early_name.hpp"

namespace firstlight {

/// CONTENT NODE: the number by which the kernel knows a file of the content mount. It follows from the
/// content alone, so it is the same in every process, which a takeover needs. Numbers below 2^62 are of
/// folders.
namespace content_node {

/// The leading 63 bits of a content's id behind a one.
[[nodiscard]] std::uint64_t of(const content_id& id);
/// That of a content looked up under its early name: 01, the TOC's mark and its number.
[[nodiscard]] std::uint64_t of(const early_content& content);

/// Whether it is that of an id.
[[nodiscard]] bool says_id(std::uint64_t node);
/// What an early one says; nothing for others.
[[nodiscard]] std::optional<early_content> early(std::uint64_t node);
/// The leading 8 bits of the id of a node that says one: those of its folder's name.
[[nodiscard]] std::uint8_t first_byte(std::uint64_t node);

}  // namespace content_node
}  // namespace firstlight
