#include "storage/erofs/erofs_image.hpp"

#include <cassert>
#include <cstring>

#include "storage/beside.hpp"
#include "storage/erofs/image_layout.hpp"
#include "storage/erofs/image_output.hpp"
#include "storage/erofs/shown_sizes.hpp"

namespace firstlight {
namespace erofs {
namespace {

constexpr std::string_view volume_name = "firstlight";

std::array<std::uint8_t, 16> uuid_of(const toc_id& id) {
  std::array<std::uint8_t, 16> uuid{};
  std::memcpy(uuid.data(), id.value.bytes.data(), uuid.size());
  // RFC 9562: version 8, "custom", and its variant.
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0fU) | 0x80U);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3fU) | 0x80U);
  return uuid;
}

std::uint16_t mode_of(const inode_view& inode) {
  constexpr std::uint32_t permissions = 07777;
  constexpr std::uint32_t regular = 0100000;
  return static_cast<std::uint16_t>(is_whiteout(inode) ? regular | (inode.mode & permissions) : inode.mode);
}

/// A device number as Linux stores it in 32 bits: 12 of the minor's 20 bits stand above the major.
std::uint32_t device_of(const inode_view& inode) {
  return (inode.device_minor & 0xffU) | inode.device_major << 8U | (inode.device_minor & ~0xffU) << 12U;
}

/// Fills the room of an entry, which is zero.
void fill_entry(const stored_xattr& attribute, std::span<std::byte> room) {
  xattr_entry entry;
  entry.name_bytes = static_cast<std::uint8_t>(attribute.infix.size() + attribute.name.size());
  entry.prefix = attribute.prefix;
  entry.value_bytes = static_cast<std::uint16_t>(attribute.value.size());
  auto* at = room.data();
  const auto append = [&](const void* from, std::size_t bytes) {
    if (bytes != 0) std::memcpy(at, from, bytes);
    at += bytes;
  };
  append(&entry, sizeof entry);
  for (const auto& part : {attribute.infix, attribute.name, attribute.value})
    append(part.data(), part.size());
}

/// The attributes of files that have nothing but contents: the same bytes but for the redirect, so that most
/// files of an image take a copy instead of a look at each attribute.
class contents_xattrs {
 public:
  /// Fills `room`, the place of those of such an inode.
  void fill(const inode_view& inode, inode_xattrs& xattrs, std::span<std::byte> room) {
    if (pattern_.empty()) make(xattrs.gather(inode, inode_xattrs::holds_whiteouts::no));
    assert(room.size() == pattern_.size());
    std::memcpy(room.data(), pattern_.data(), room.size());
    const auto redirect = xattrs.redirect_of(inode);
    std::memcpy(room.data() + redirect_at_, redirect.data(), redirect.size());
  }

 private:
  void make(const std::vector<stored_xattr>& attributes) {
    pattern_.resize(sizeof(xattr_header));  // zero: no attribute is shared
    for (const auto& attribute : attributes) {
      const auto begin = pattern_.size();
      pattern_.resize(begin + attribute.bytes());
      fill_entry(attribute, std::span(pattern_).subspan(begin));
      redirect_at_ = begin + sizeof(xattr_entry) + attribute.infix.size() + attribute.name.size();
    }
  }

  std::vector<std::byte> pattern_;  // header and entries; empty before the first
  std::size_t redirect_at_ = 0;
};

/// Writes a part of a laid out image: two write one together.
class image_writer {
 public:
  image_writer(const toc_view& toc, const image_layout& plan, std::uint32_t toc_mark, int file,
               std::uint64_t begin)
      : toc_(toc), plan_(plan), output_(file, begin), xattrs_(toc, toc_mark) {}

  /// All from the begin up to this inode.
  result<void> write_up_to(inode_number end, const toc_id& id) {
    write_super_block(id);
    write_inodes(root_inode, end);
    output_.pad_to(plan_.begin_of(end));
    return output_.finish();
  }
  /// This inode and all behind it.
  result<void> write_from(inode_number first) {
    const auto last = toc_.inode_count();
    write_inodes(first, last + 1);
    output_.pad_to(plan_.shared_begin);
    for (const auto& entry : plan_.shared.entries()) write_entry(entry);
    output_.pad_to(std::uint64_t{plan_.first_data_block} * block_bytes);
    for (inode_number number = root_inode; number <= last; ++number)
      if (plan_.shape(number).blocks != 0) write_blocks(number);
    assert(output_.position() == std::uint64_t{plan_.blocks} * block_bytes);
    return output_.finish();
  }
  result<void> write_all(const toc_id& id) {
    write_super_block(id);
    return write_from(root_inode);
  }

 private:
  void write_inodes(inode_number first, inode_number end) {
    for (auto number = first; number < end; ++number) write_inode(number);
  }

  void write_super_block(const toc_id& id) {
    super_block super;
    super.compatible_features = feature_checksum | feature_mtime;
    super.incompatible_features = feature_chunked_files;
    super.root = static_cast<std::uint16_t>(plan_.places[0].slot);
    super.inodes = toc_.inode_count();
    super.build_seconds = plan_.common_time.seconds;
    super.build_nanoseconds = plan_.common_time.nanoseconds;
    super.blocks = blocks_of_image(toc_);
    super.xattrs_block = static_cast<std::uint32_t>(plan_.shared_begin / block_bytes);
    super.uuid = uuid_of(id);
    std::memcpy(super.name.data(), volume_name.data(), volume_name.size());
    output_.pad_to(super_block_offset);
    output_.put(super);
  }

  void write_inode(inode_number number) {
    const auto& inode = plan_.inode(number);
    const auto& shape = plan_.shape(number);
    output_.pad_to(plan_.begin_of(number));
    write_core(number, inode, shape);
    if (inode_xattrs::only_contents(inode))
      contents_.fill(inode, xattrs_, output_.next(shape.xattr_bytes));
    else if (shape.xattr_bytes != 0)
      write_xattrs(xattrs_.gather(inode, plan_.whiteouts(inode)));
    write_tail(inode, shape);
  }

  [[nodiscard]] std::uint32_t detail_of(const inode_view& inode, const inode_shape& shape) const {
    if (shape.data == layout::chunks) return largest_chunk;
    if (shape.blocks != 0) return plan_.first_data_block + shape.first_block;
    const bool device = inode.type == file_type::character_device || inode.type == file_type::block_device;
    return device && !is_whiteout(inode) ? device_of(inode) : 0;
  }

  void write_core(inode_number number, const inode_view& inode, const inode_shape& shape) {
    shape.core == inode_shape::form::compact ? output_.put(compact_core(number, inode, shape))
                                             : output_.put(extended_core(number, inode, shape));
  }

  [[nodiscard]] compact_inode compact_core(inode_number number, const inode_view& inode,
                                           const inode_shape& shape) const {
    compact_inode core;
    core.format = inode_format(shape.data, true);
    core.xattr_count = xattr_count_of(shape.xattr_bytes);
    core.mode = mode_of(inode);
    core.links = static_cast<std::uint16_t>(inode.links);
    core.size = static_cast<std::uint32_t>(shape.size);
    core.detail = detail_of(inode, shape);
    core.number = number;
    core.uid = static_cast<std::uint16_t>(inode.uid);
    core.gid = static_cast<std::uint16_t>(inode.gid);
    return core;
  }

  [[nodiscard]] extended_inode extended_core(inode_number number, const inode_view& inode,
                                             const inode_shape& shape) const {
    extended_inode core;
    core.format = inode_format(shape.data, false);
    core.xattr_count = xattr_count_of(shape.xattr_bytes);
    core.mode = mode_of(inode);
    core.size = shape.size;
    core.detail = detail_of(inode, shape);
    core.number = number;
    core.uid = inode.uid;
    core.gid = inode.gid;
    core.seconds = inode.modified.seconds;
    core.nanoseconds = inode.modified.nanoseconds;
    core.links = inode.links;
    return core;
  }

  void write_xattrs(const std::vector<stored_xattr>& attributes) {
    xattr_header header;
    const auto skip = [](const auto&) {};
    spread(
        attributes, plan_.shared, [&](std::uint64_t) { ++header.shared; }, skip);
    output_.put(header);
    const auto area_begin = plan_.shared_begin % block_bytes;
    const auto write_reference = [&](std::uint64_t offset) {
      output_.put(static_cast<std::uint32_t>((area_begin + offset) / 4));
    };
    spread(attributes, plan_.shared, write_reference, skip);
    spread(attributes, plan_.shared, skip, [&](const stored_xattr& own) { write_entry(own); });
  }

  void write_entry(const stored_xattr& attribute) { fill_entry(attribute, output_.next(attribute.bytes())); }

  void write_tail(const inode_view& inode, const inode_shape& shape) {
    if (shape.data == layout::chunks) output_.put(no_block);
    if (shape.data != layout::inlined) return;
    if (inode.type == file_type::symlink) return output_.append(inode.symlink_target);
    const auto& directory = plan_.directory(inode);
    fill_directory_block(plan_.listing(inode), directory, directory.last_first, plan_.places,
                         output_.next(shape.tail_bytes));
  }

  void write_blocks(inode_number number) {
    const auto& inode = plan_.inode(number);
    const auto& shape = plan_.shape(number);
    const auto end = output_.position() + std::uint64_t{shape.blocks} * block_bytes;
    if (inode.type == file_type::symlink) {
      output_.append(inode.symlink_target);
    } else {
      std::uint64_t position = 0;
      for (std::uint32_t block = 0; block < shape.blocks; ++block)
        position = fill_directory_block(plan_.listing(inode), plan_.directory(inode), position, plan_.places,
                                        output_.next(block_bytes));
    }
    output_.pad_to(end);
  }

  const toc_view& toc_;
  const image_layout& plan_;
  image_output output_;
  inode_xattrs xattrs_;
  contents_xattrs contents_;
};

/// From here on it is worth a second thread: somebody waits for the mount.
constexpr inode_number inodes_of_two_threads = 4096;

}  // namespace
}  // namespace erofs

struct erofs_image::impl {
  std::shared_ptr<const toc_view> toc;
  toc_id id;
  erofs::image_layout plan;
};

erofs_image::erofs_image(std::unique_ptr<impl> state) : impl_(std::move(state)) {}
erofs_image::erofs_image(erofs_image&&) noexcept = default;
erofs_image& erofs_image::operator=(erofs_image&&) noexcept = default;
erofs_image::~erofs_image() = default;

result<erofs_image> erofs_image::plan(std::shared_ptr<const toc_view> toc, const toc_id& id,
                                      const erofs_limits& limits) {
  auto layout = erofs::lay_out(*toc, limits);
  if (!layout) return tl::make_unexpected(layout.error());
  return erofs_image(std::make_unique<impl>(impl{std::move(toc), id, std::move(*layout)}));
}

result<void> erofs_image::write(int file, unknown_ids when) const {
  if (when == unknown_ids::refused && !impl_->toc->contents_known())
    return fail(errc::not_ready, "the content ids of the table of contents have not arrived");
  const auto writer_from = [&](std::uint64_t begin) {
    return erofs::image_writer(*impl_->toc, impl_->plan, mark_of(impl_->id), file, begin);
  };
  const auto count = impl_->toc->inode_count();
  if (count < erofs::inodes_of_two_threads) return writer_from(0).write_all(impl_->id);
  const inode_number middle = count / 2;
  auto before = beside([&] { return writer_from(0).write_up_to(middle, impl_->id); });
  auto behind = writer_from(impl_->plan.begin_of(middle)).write_from(middle);
  auto written = before.get();
  return written ? behind : written;
}

std::uint64_t erofs_image::bytes() const {
  return std::uint64_t{impl_->plan.blocks} * erofs::block_bytes;
}
std::uint64_t erofs_image::shown_number(inode_number number) const {
  return impl_->plan.places[number - 1].slot;
}
std::uint64_t erofs_image::xattrs_left_out() const {
  return impl_->plan.xattrs_left_out;
}

}  // namespace firstlight
