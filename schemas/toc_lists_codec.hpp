#pragma once
#include <capnp/serialize.h>

#include "schemas/toc.capnp.h"
#include "schemas/toc.hpp"

namespace firstlight {

/// The lists of one TOC message, resolved once. Reading elements of fixed width through them touches
/// no counter and no pointer, so that threads may share them; not for use outside the codec.
struct toc_lists {
  wire::Toc::Reader toc;
  capnp::List<wire::Inode>::Reader inodes;
  capnp::List<wire::Directory>::Reader directories;
  capnp::List<wire::Entry>::Reader entries;
  capnp::List<wire::Xattr>::Reader xattrs;
  std::string_view names;

  [[nodiscard]] std::string_view text(std::uint32_t offset, std::uint32_t length) const {
    return names.substr(offset, length);
  }
};

/// Checks all that toc_view promises of a message of `words` words.
/// @returns the sizes of all contents, which are those of the files that have them. Errors: `corrupt`.
[[nodiscard]] result<std::vector<std::uint64_t>> validate_toc(const toc_lists& lists, std::uint64_t words);

}  // namespace firstlight
