#pragma once
#include <capnp/any.h>
#include <capnp/list.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "model/result.hpp"
#include "schemas/toc_mode.hpp"

namespace firstlight {

// Rows of the TOC's tables as they stand in the message (schemas/toc.capnp; capnproto.org/encoding.html,
// "Structs"): little-endian words without pointers. Read whole: a mount waits while all are checked and laid
// out, and a row at a time that takes a third of what a call for each field does.

static_assert(toc_version == 2, "rows of another version have another form");
static_assert(std::endian::native == std::endian::little, "rows are read as they stand");

struct inode_row {
  std::uint32_t mode;
  std::uint32_t uid;
  std::uint32_t gid;
  std::uint32_t links;
  std::uint64_t size;
  std::int64_t seconds;
  std::uint32_t nanoseconds;
  std::uint32_t detail;
  std::uint32_t xattr_first;
  std::uint32_t xattr_count;
};

struct directory_row {
  std::uint32_t inode;
  std::uint32_t parent;
  std::uint32_t first;
  std::uint32_t count;
};

struct entry_row {
  std::uint32_t inode;
  std::uint32_t name_offset;
  std::uint16_t name_length;
  std::uint16_t unused[3];
};

struct xattr_row {
  std::uint32_t name_offset;
  std::uint32_t value_offset;
  std::uint16_t name_length;
  std::uint16_t unused;
  std::uint32_t value_length;
};

/// A table inside of a message that outlives it. Any number of threads may read it.
template <class Row>
class row_list {
 public:
  row_list() = default;

  /// `list` is of a message whose bounds have been checked. Errors: `corrupt` for rows of another form: a
  /// message of this version has none.
  template <class Wire>
  static result<row_list> of(typename capnp::List<Wire>::Reader list) {
    static_assert(sizeof(Row) == Wire::_capnpPrivate::dataWordSize * sizeof(capnp::word));
    static_assert(Wire::_capnpPrivate::pointerCount == 0);
    row_list rows;
    if (list.size() == 0) return rows;
    // Elements stand one behind the other, each as wide as its two sections.
    const capnp::AnyStruct::Reader first = capnp::toAny(list[0]);
    if (first.getDataSection().size() != sizeof(Row) || first.getPointerSection().size() != 0)
      return fail(errc::corrupt, "table of contents: rows of another width");
    rows.begin_ = reinterpret_cast<const std::byte*>(first.getDataSection().begin());
    rows.size_ = list.size();
    return rows;
  }

  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] Row operator[](std::size_t index) const {
    Row row;
    std::memcpy(&row, begin_ + index * sizeof(Row), sizeof(Row));
    return row;
  }
  [[nodiscard]] const std::byte* data() const { return begin_; }

 private:
  const std::byte* begin_ = nullptr;
  std::uint32_t size_ = 0;
};

}  // namespace firstlight
