#include "storage/erofs/image_layout.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include "schemas/toc_paths.hpp"

namespace firstlight::erofs {
namespace {

constexpr std::uint32_t u16_max = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint32_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t xattr_name_bytes_max = 255;  // as in Linux, with the prefix

std::uint8_t entry_type_of(const inode_view& inode) {
  switch (inode.type) {
    case file_type::regular:
      return entry_type::regular;
    case file_type::directory:
      return entry_type::directory;
    case file_type::symlink:
      return entry_type::symlink;
    case file_type::character_device:
      return is_whiteout(inode) ? entry_type::regular : entry_type::character_device;
    case file_type::block_device:
      return entry_type::block_device;
    case file_type::fifo:
      return entry_type::fifo;
  }
  return 0;
}

bool fits_compact(const inode_view& inode) {
  return inode.uid <= u16_max && inode.gid <= u16_max && inode.links <= u16_max && inode.size <= u32_max;
}

struct time_hash {
  std::size_t operator()(const timestamp& time) const {
    return std::hash<std::uint64_t>{}(static_cast<std::uint64_t>(time.seconds) * 1'000'000'007 +
                                      time.nanoseconds);
  }
};

/// Fills a layout step by step.
struct planner {
  const toc_view& toc;
  const erofs_limits& limits;
  image_layout plan;
  inode_xattrs xattrs{toc};
  std::optional<std::uint64_t> content_bytes{};  ///< of an inode's attributes if nothing else is stored

  result<void> all() {
    survey();
    if (auto counted = count_xattrs(); !counted) return counted;
    plan.shared.settle();
    return place();
  }

  /// Types, the most frequent time (the earlier of equals), directories.
  void survey() {
    plan.places.resize(toc.inode_count());
    plan.inodes.reserve(toc.inode_count());
    plan.shapes.reserve(toc.inode_count());
    plan.entries.reserve(std::size_t{toc.inode_count()} * 5 / 4);  // directories have two more
    std::unordered_map<timestamp, std::uint32_t, time_hash> times;
    auto latest = times.end();  // neighbours often have the same
    std::uint32_t most = 0;
    bool whiteouts = false;
    for (inode_number number = root_inode; number <= toc.inode_count(); ++number) {
      const auto& inode = plan.inodes.emplace_back(toc.inode(number));
      plan.places[number - 1].type = entry_type_of(inode);
      whiteouts = whiteouts || is_whiteout(inode);
      if (inode.type == file_type::directory) survey_directory(number, inode);
      if (!fits_compact(inode)) continue;
      if (latest == times.end() || latest->first != inode.modified)
        latest = times.try_emplace(inode.modified).first;
      ++latest->second;
    }
    for (const auto& [time, count] : times) {
      if (count < most || (count == most && plan.common_time < time)) continue;
      most = count;
      plan.common_time = time;
    }
    plan.whiteouts_in.resize(plan.directories.size());
    if (whiteouts) find_whiteouts();
  }

  void survey_directory(inode_number number, const inode_view& inode) {
    if (plan.directories.size() <= inode.directory) plan.directories.resize(inode.directory + 1);
    auto& directory = plan.directories[inode.directory];
    directory.first_entry = plan.entries.size();
    list_directory(toc, number, inode, plan.entries);
    directory.entries = plan.entries.size() - directory.first_entry;
    directory.shape = erofs::shape_of(plan.listing(inode));
  }

  void find_whiteouts() {
    for (inode_number number = root_inode; number <= toc.inode_count(); ++number) {
      const auto& inode = plan.inode(number);
      if (inode.type != file_type::directory) continue;
      for (const auto& entry : plan.listing(inode))
        if (is_whiteout(plan.inode(entry.inode))) plan.whiteouts_in[inode.directory] = true;
    }
  }

  result<void> count_xattrs() {
    for (inode_number number = root_inode; number <= toc.inode_count(); ++number) {
      const auto& inode = plan.inode(number);
      const auto whiteouts = plan.whiteouts(inode);
      // Most inodes have nothing that could be shared.
      if (inode.xattr_count == 0 && whiteouts == inode_xattrs::holds_whiteouts::no && !is_whiteout(inode))
        continue;
      for (const auto& attribute : xattrs.gather(inode, whiteouts)) {
        if (auto checked = check(number, attribute); !checked) return checked;
        plan.shared.count(attribute);
      }
      plan.xattrs_left_out += xattrs.left_out();
    }
    return {};
  }

  [[nodiscard]] result<void> check(inode_number number, const stored_xattr& attribute) const {
    if (attribute.value.size() > entry_value_bytes_max)
      return refuse(number, "an extended attribute of more than 65535 bytes");
    constexpr auto trusted_bytes = std::string_view("trusted.").size();
    if (!attribute.infix.empty() &&
        trusted_bytes + attribute.infix.size() + attribute.name.size() > xattr_name_bytes_max)
      return refuse(number, "an overlay mark whose escaped name is longer than 255 bytes");
    return {};
  }

  [[nodiscard]] tl::unexpected<error> refuse(inode_number number, const std::string& what) const {
    return fail(errc::limit_exceeded,
                "EROFS cannot hold " + what + ": /" + paths_of(toc, std::span(&number, 1)).front());
  }

  /// What the attributes of an inode take beside it.
  [[nodiscard]] std::uint64_t xattr_bytes_of(const inode_view& inode) {
    if (inode_xattrs::nothing(inode, plan.whiteouts(inode))) return 0;
    if (inode_xattrs::only_contents(inode) && content_bytes) return *content_bytes;
    const auto& attributes = xattrs.gather(inode, plan.whiteouts(inode));
    std::uint64_t bytes = attributes.empty() ? 0 : sizeof(xattr_header);
    spread(
        attributes, plan.shared, [&](std::uint64_t) { bytes += 4; },
        [&](const stored_xattr& own) { bytes += own.bytes(); });
    if (inode_xattrs::only_contents(inode)) content_bytes = bytes;
    return bytes;
  }

  [[nodiscard]] inode_shape shape_of(const inode_view& inode) {
    inode_shape shape;
    shape.xattr_bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(xattr_bytes_of(inode), u32_max));
    const bool common = inode.modified == plan.common_time && fits_compact(inode);
    if (common) shape.core = inode_shape::form::compact;
    const auto data = [&](std::uint64_t size, std::uint32_t full_blocks, std::uint32_t last_bytes) {
      shape.size = size;
      const bool fits = std::uint64_t{shape.core_bytes()} + shape.xattr_bytes + last_bytes <= block_bytes;
      shape.data = fits ? layout::inlined : layout::plain;
      shape.blocks = full_blocks + (fits ? 0 : 1);
      shape.tail_bytes = fits ? last_bytes : 0;
    };
    if (inode.type == file_type::directory) {
      const auto& directory = plan.directory(inode);
      if (directory.bytes() > u32_max) shape.core = inode_shape::form::extended;
      data(directory.bytes(), directory.full_blocks, directory.last_bytes);
    } else if (inode.type == file_type::symlink) {
      data(inode.size, 0, static_cast<std::uint32_t>(inode.size));
    } else if (inode.type == file_type::regular && inode.size != 0) {
      assert(inode.size <= chunk_bytes_max);  // as toc_view promises: one chunk
      shape.size = inode.size;
      shape.data = layout::chunks;
      shape.tail_bytes = sizeof no_block;
    }
    return shape;
  }

  result<void> place() {
    std::uint64_t end = super_block_offset + sizeof(super_block);
    std::uint64_t blocks = 0;
    for (inode_number number = root_inode; number <= toc.inode_count(); ++number) {
      const auto& inode = plan.inode(number);
      auto& shape = plan.shapes.emplace_back(shape_of(inode));
      shape.first_block = static_cast<std::uint32_t>(blocks);
      if (shape.xattr_bytes > xattr_bytes_max)
        return refuse(number, "so many extended attributes of one file");
      const auto begin = place_behind(end, shape);
      plan.places[number - 1].slot = static_cast<std::uint32_t>(begin / slot_bytes);
      end = begin + shape.bytes();
      blocks += shape.blocks;
      if (auto checked = check_size(end); !checked) return checked;
    }
    plan.shared_begin = rounded_up(end, 4);
    const auto metadata_blocks =
        rounded_up(plan.shared_begin + plan.shared.bytes(), block_bytes) / block_bytes;
    plan.first_data_block = static_cast<std::uint32_t>(metadata_blocks);
    plan.blocks = static_cast<std::uint32_t>(metadata_blocks + blocks);
    return check_size((metadata_blocks + blocks) * block_bytes);
  }

  /// Within the limit all numbers of slots, blocks and shared xattrs have 32 bits.
  [[nodiscard]] result<void> check_size(std::uint64_t bytes) const {
    constexpr std::uint64_t format_bytes_max = 4ULL << 32U;  // shared xattrs are numbered in units of 4 bytes
    if (bytes <= std::min(limits.image_bytes_max, format_bytes_max)) return {};
    return fail(errc::limit_exceeded, "the image's EROFS image would be larger than image_bytes_max");
  }
};

}  // namespace

std::uint64_t place_behind(std::uint64_t end, const inode_shape& shape) {
  const auto begin = rounded_up(end, slot_bytes);
  const bool crosses = begin % block_bytes + shape.bytes() > block_bytes;
  return shape.data == layout::inlined && crosses ? rounded_up(begin, block_bytes) : begin;
}

result<image_layout> lay_out(const toc_view& toc, const erofs_limits& limits) {
  planner planning{toc, limits, {}};
  if (auto done = planning.all(); !done) return tl::make_unexpected(done.error());
  return std::move(planning.plan);
}

}  // namespace firstlight::erofs
