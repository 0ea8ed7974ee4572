#pragma once
#include <capnp/serialize.h>

#include "schemas/toc.capnp.h"
#include "schemas/toc.hpp"
#include "schemas/toc_rows_codec.hpp"

namespace firstlight {

/// The lists of one TOC message, resolved once; threads may share them. Not for use outside the codec.
struct toc_lists {
  wire::Toc::Reader toc;
  row_list<inode_row> inodes;
  row_list<directory_row> directories;
  row_list<entry_row> entries;
  row_list<xattr_row> xattrs;
  std::string_view names;

  [[nodiscard]] std::string_view text(std::uint32_t offset, std::uint32_t length) const {
    return names.substr(offset, length);
  }
};

/// Checks all that toc_view promises of a message.
/// @returns the sizes of all contents, which are those of the files that have them. Errors: `corrupt`.
[[nodiscard]] result<std::vector<std::uint64_t>> validate_toc(const toc_lists& lists);

}  // namespace firstlight
