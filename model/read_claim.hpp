#pragma once
#include <cstdint>
#include <vector>

namespace firstlight {

/// READ CLAIM: whether the recording of a mount notes a read of a content that several mounts may have, where
/// the kernel says which content is read and not on which mount.
enum class read_claim : std::uint8_t {
  none,       ///< it is another mount's
  certain,    ///< nobody else can have made it, or nothing tells who has
  if_opened,  ///< if a program has opened the content on this mount: doubtful_reads.hpp
};

/// What is known of a mount that has the content.
struct content_holder {
  bool recorded = false;       ///< somebody wants to know what is read on it
  bool follows_opens = false;  ///< its recording is told what is opened on it
};

/// @returns the claim of each holder, in their order. Of those whose opens nobody tells the first one has it.
[[nodiscard]] std::vector<read_claim> claims_of(const std::vector<content_holder>& holders);

}  // namespace firstlight
