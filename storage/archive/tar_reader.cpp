#include "storage/archive/tar_reader.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "storage/archive/pax_records.hpp"
#include "storage/archive/sparse_map.hpp"

namespace firstlight {
namespace {

constexpr std::string_view xattr_prefix = "SCHILY.xattr.";

// What only makes sense on the machine that made the layer; umoci leaves the same out.
bool belongs_to_a_machine(std::string_view xattr_name) {
  return xattr_name == "security.selinux" || xattr_name == "system.nfs4_acl" ||
         xattr_name == "trusted.overlay.opaque";
}

bool has_no_data(char type) {
  return type >= '1' && type <= '6';
}

std::uint64_t padding(std::uint64_t size) {
  return (tar_block_bytes - size % tar_block_bytes) % tar_block_bytes;
}

// What stands in front of an entry's own header.
struct extensions {
  pax_records records;
  std::string long_name;
  std::string long_link;

  [[nodiscard]] std::string_view record(std::string_view key) const {
    const auto found = records.find(key);
    return found == records.end() ? std::string_view{} : std::string_view(found->second);
  }
};

result<layer_entry_type> type_of(const tar_header& header) {
  switch (header.type) {
    case '\0':
      return header.name.ends_with('/') ? layer_entry_type::directory : layer_entry_type::regular;
    case '0':
    case '7':
    case 'S':
      return layer_entry_type::regular;
    case '1':
      return layer_entry_type::hard_link;
    case '2':
      return layer_entry_type::symlink;
    case '3':
      return layer_entry_type::character_device;
    case '4':
      return layer_entry_type::block_device;
    case '5':
      return layer_entry_type::directory;
    case '6':
      return layer_entry_type::fifo;
    default:
      break;
  }
  return fail(errc::unsupported,
              "tar: " + header.name + " is of unknown type " +
                  std::to_string(static_cast<int>(static_cast<unsigned char>(header.type))));
}

// The regular format of the header's fields where PAX records do not say otherwise.
result<void> apply_records(tar_header& header, layer_entry& entry, const extensions& front) {
  const auto number = [&front](std::string_view key, std::int64_t& into) -> result<void> {
    const auto text = front.record(key);
    if (text.empty()) return {};
    auto value = parse_decimal(text);
    if (!value) return tl::unexpected(value.error());
    into = *value;
    return {};
  };
  if (auto ok = number("uid", header.uid); !ok) return ok;
  if (auto ok = number("gid", header.gid); !ok) return ok;
  if (auto ok = number("size", header.size); !ok) return ok;
  if (auto path = front.record("path"); !path.empty()) header.name = path;
  if (auto link = front.record("linkpath"); !link.empty()) header.link_name = link;
  if (!front.long_name.empty()) header.name = front.long_name;
  if (!front.long_link.empty()) header.link_name = front.long_link;
  entry.modified = {header.modified, 0};
  if (auto text = front.record("mtime"); !text.empty()) {
    auto time = parse_pax_time(text);
    if (!time) return tl::unexpected(time.error());
    entry.modified = *time;
  }
  return {};
}

result<void> apply_xattrs(layer_entry& entry, const extensions& front, const ingest_limits& limits) {
  for (auto at = front.records.lower_bound(xattr_prefix);
       at != front.records.end() && at->first.starts_with(xattr_prefix); ++at) {
    const std::string name = at->first.substr(xattr_prefix.size());
    if (belongs_to_a_machine(name)) continue;
    if (name.empty() || name.size() > limits.xattr_name_bytes_max) {
      return fail(errc::limit_exceeded, "tar: xattr_name_bytes_max in " + entry.path);
    }
    if (at->second.size() > limits.xattr_value_bytes_max) {
      return fail(errc::limit_exceeded, "tar: xattr_value_bytes_max in " + entry.path);
    }
    if (entry.xattrs.size() >= limits.xattrs_per_entry_max) {
      return fail(errc::limit_exceeded, "tar: xattrs_per_entry_max in " + entry.path);
    }
    entry.xattrs.push_back({name, at->second});
  }
  return {};
}

result<void> apply_numbers(layer_entry& entry, const tar_header& header) {
  constexpr std::int64_t id_end =
      std::numeric_limits<std::uint32_t>::max();  // the last one means "no change"
  if (header.uid < 0 || header.uid >= id_end || header.gid < 0 || header.gid >= id_end) {
    return fail(errc::corrupt, "tar: owner out of range in " + entry.path);
  }
  entry.permissions = static_cast<std::uint16_t>(header.mode & 07777);
  entry.uid = static_cast<std::uint32_t>(header.uid);
  entry.gid = static_cast<std::uint32_t>(header.gid);
  if (entry.type != layer_entry_type::character_device && entry.type != layer_entry_type::block_device)
    return {};
  if (header.device_major < 0 || header.device_major >= 1 << 12 || header.device_minor < 0 ||
      header.device_minor >= 1 << 20) {
    return fail(errc::corrupt, "tar: device number out of range in " + entry.path);
  }
  entry.device_major = static_cast<std::uint32_t>(header.device_major);
  entry.device_minor = static_cast<std::uint32_t>(header.device_minor);
  return {};
}

}  // namespace

struct tar_reader::impl {
  byte_source& source;
  const ingest_limits& limits;
  std::uint64_t carried = 0;   // bytes of the current entry that the tar still holds
  std::uint64_t pad = 0;       // and the padding behind them
  std::uint64_t position = 0;  // in the file, holes included
  std::uint64_t size = 0;      // of the file, holes included
  sparse_map regions;          // empty: the file is its carried bytes
  bool is_sparse = false;
  std::size_t region = 0;
  std::uint32_t entries = 0;
  bool ended = false;

  result<std::size_t> take(std::span<std::byte> into) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), carried));
    if (length == 0) return 0;
    auto got = source.read(into.first(length));
    if (!got) return got;
    if (*got == 0) return fail(errc::corrupt, "tar: ends in the middle of a file");
    carried -= *got;
    return got;
  }

  result<void> skip() {
    std::array<std::byte, 32768> waste;
    while (carried > 0)
      if (auto got = take(waste); !got) return tl::unexpected(got.error());
    // Some writers (umoci insert 0.4) end right behind the last file; readers elsewhere take that.
    while (pad > 0) {
      auto got = source.read(std::span(waste).first(pad));
      if (!got) return tl::unexpected(got.error());
      if (*got == 0) pad = 0;
      pad -= std::min<std::uint64_t>(pad, *got);
    }
    return {};
  }

  void begin_data(std::int64_t bytes) {
    carried = static_cast<std::uint64_t>(bytes);
    pad = padding(carried);
    size = carried;
    position = 0;
    is_sparse = false;
    regions.clear();
    region = 0;
  }

  // Nothing at the end of the archive.
  result<std::optional<tar_block>> next_block() {
    tar_block block{};
    auto got = source.read(std::as_writable_bytes(std::span(block)));
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return std::optional<tar_block>{};
    if (*got < block.size()) {
      if (auto ok = fill(block, *got); !ok) return tl::unexpected(ok.error());
    }
    if (!is_zero(block)) return block;
    return after_zero_block();
  }

  result<std::optional<tar_block>> after_zero_block() {
    tar_block second{};
    auto got = source.read(std::as_writable_bytes(std::span(second)));
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return std::optional<tar_block>{};
    if (auto ok = fill(second, *got); !ok) return tl::unexpected(ok.error());
    if (!is_zero(second)) return fail(errc::corrupt, "tar: a zero block in the middle");
    return drain();
  }

  result<void> fill(tar_block& block, std::size_t from) {
    while (from < block.size()) {
      auto got = source.read(std::as_writable_bytes(std::span(block)).subspan(from));
      if (!got) return tl::unexpected(got.error());
      if (*got == 0) return fail(errc::corrupt, "tar: ends in the middle of a header");
      from += *got;
    }
    return {};
  }

  // What follows the end belongs to the layer's digest: read on, so that it is checked.
  result<std::optional<tar_block>> drain() {
    std::array<std::byte, 32768> waste;
    while (true) {
      auto got = source.read(waste);
      if (!got) return tl::unexpected(got.error());
      if (*got == 0) return std::optional<tar_block>{};
    }
  }

  result<std::string> whole_data(const tar_header& header) {
    if (header.size > limits.extended_header_bytes_max) {
      return fail(errc::limit_exceeded, "tar: extended_header_bytes_max");
    }
    std::string data(static_cast<std::size_t>(header.size), '\0');
    for (std::size_t filled = 0; filled < data.size();) {
      auto got = take(std::as_writable_bytes(std::span(data)).subspan(filled));
      if (!got) return tl::unexpected(got.error());
      filled += *got;
    }
    return data;
  }

  // Whether the header was one that only extends the next.
  result<bool> extend(const tar_header& header, extensions& front) {
    if (header.type != 'x' && header.type != 'g' && header.type != 'L' && header.type != 'K') return false;
    auto data = whole_data(header);
    if (!data) return tl::unexpected(data.error());
    if (header.type == 'x') {
      auto records = parse_pax_records(*data);
      if (!records) return tl::unexpected(records.error());
      front.records = std::move(*records);
    } else if (header.type == 'L') {
      front.long_name = data->c_str();
    } else if (header.type == 'K') {
      front.long_link = data->c_str();
    }
    return true;  // global records ('g') are comments in practice; Go leaves them out as well
  }

  result<void> begin_sparse(tar_header& header, layer_entry& entry, const tar_block& block,
                            const extensions& front) {
    if (header.type == 'S') return begin_gnu_sparse(header, block);
    const auto major = front.record("GNU.sparse.major");
    const auto minor = front.record("GNU.sparse.minor");
    const bool lines = major == "1" && minor == "0";
    const bool text = (major == "0" && (minor == "0" || minor == "1")) ||
                      (major.empty() && minor.empty() && !front.record("GNU.sparse.map").empty());
    if (!lines && !text) return {};
    if (auto name = front.record("GNU.sparse.name"); !name.empty()) entry.path = name;
    auto real = front.record("GNU.sparse.size");
    if (real.empty()) real = front.record("GNU.sparse.realsize");
    if (!real.empty()) {
      auto value = parse_decimal(real);
      if (!value || *value < 0) return fail(errc::corrupt, "tar: a sparse file of no size");
      size = static_cast<std::uint64_t>(*value);
    }
    return lines ? begin_sparse_lines() : begin_sparse_text(front);
  }

  result<void> begin_sparse_text(const extensions& front) {
    auto map = parse_sparse_text(front.record("GNU.sparse.map"), limits.sparse_regions_max);
    if (!map) return tl::unexpected(map.error());
    return use(std::move(*map));
  }

  result<void> begin_sparse_lines() {
    struct carried_bytes : byte_source {
      impl& of;
      explicit carried_bytes(impl& reader) : of(reader) {}
      result<std::size_t> read(std::span<std::byte> into) override { return of.take(into); }
    } data(*this);
    std::uint64_t consumed = 0;
    auto map = read_sparse_lines(data, limits.sparse_regions_max, consumed);
    if (!map) return tl::unexpected(map.error());
    return use(std::move(*map));
  }

  result<void> begin_gnu_sparse(const tar_header& header, const tar_block& block) {
    if (header.format != tar_format::gnu)
      return fail(errc::corrupt, "tar: a sparse file in a foreign format");
    auto sparse = read_gnu_sparse(block, source, limits.sparse_regions_max);
    if (!sparse) return tl::unexpected(sparse.error());
    size = sparse->size;
    return use(std::move(sparse->map));
  }

  result<void> use(sparse_map map) {
    if (auto ok = check_sparse_map(map, size); !ok) return ok;
    std::uint64_t data = 0;
    for (const auto& r : map) data += r.length;
    if (data > carried) return fail(errc::corrupt, "tar: a sparse file with less data than its map says");
    regions = std::move(map);
    is_sparse = true;
    return {};
  }

  result<tar_entry> finish(tar_header header, const tar_block& block, const extensions& front) {
    tar_entry made;
    layer_entry& entry = made.entry;
    if (auto ok = apply_records(header, entry, front); !ok) return tl::unexpected(ok.error());
    auto type = type_of(header);
    if (!type) return tl::unexpected(type.error());
    entry.type = *type;
    if (header.size < 0) return fail(errc::corrupt, "tar: a negative size");
    begin_data(has_no_data(header.type) ? 0 : header.size);
    entry.path = header.name;
    if (entry.type == layer_entry_type::regular) {
      if (auto ok = begin_sparse(header, entry, block, front); !ok) return tl::unexpected(ok.error());
    }
    if (entry.type == layer_entry_type::symlink || entry.type == layer_entry_type::hard_link) {
      entry.link_target = std::move(header.link_name);
    }
    if (entry.path.size() > limits.path_bytes_max || entry.link_target.size() > limits.path_bytes_max) {
      return fail(errc::limit_exceeded, "tar: path_bytes_max in " + entry.path.substr(0, 80));
    }
    if (auto ok = apply_numbers(entry, header); !ok) return tl::unexpected(ok.error());
    if (auto ok = apply_xattrs(entry, front, limits); !ok) return tl::unexpected(ok.error());
    made.size = entry.type == layer_entry_type::regular ? size : 0;
    return made;
  }

  result<std::optional<tar_entry>> next() {
    extensions front;
    while (!ended) {
      if (auto ok = skip(); !ok) return tl::unexpected(ok.error());
      auto block = next_block();
      if (!block) return tl::unexpected(block.error());
      if (!*block) {
        ended = true;
        break;
      }
      if (entries++ >= limits.entries_per_layer_max)
        return fail(errc::limit_exceeded, "tar: entries_per_layer_max");
      auto header = parse_tar_header(**block);
      if (!header) return tl::unexpected(header.error());
      if (header->size < 0) return fail(errc::corrupt, "tar: a negative size");
      begin_data(has_no_data(header->type) ? 0 : header->size);
      auto extending = extend(*header, front);
      if (!extending) return tl::unexpected(extending.error());
      if (*extending) continue;
      auto entry = finish(std::move(*header), **block, front);
      if (!entry) return tl::unexpected(entry.error());
      return std::move(*entry);
    }
    return std::optional<tar_entry>{};
  }

  result<std::size_t> read_sparse(std::span<std::byte> into) {
    while (region < regions.size() && position >= regions[region].offset + regions[region].length) ++region;
    const bool hole = region == regions.size() || position < regions[region].offset;
    const std::uint64_t end = hole ? (region == regions.size() ? size : regions[region].offset)
                                   : regions[region].offset + regions[region].length;
    const auto part =
        into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), end - position)));
    if (!hole) return take(part);
    std::fill(part.begin(), part.end(), std::byte{0});
    return part.size();
  }

  result<std::size_t> read(std::span<std::byte> into) {
    if (position >= size) return 0;
    auto got = is_sparse ? read_sparse(into) : take(into);
    if (got) position += *got;
    return got;
  }
};

tar_reader::tar_reader(byte_source& source, const ingest_limits& limits)
    : impl_(new impl{.source = source, .limits = limits, .regions = {}}) {}
tar_reader::~tar_reader() = default;

result<std::optional<tar_entry>> tar_reader::next() {
  return impl_->next();
}
result<std::size_t> tar_reader::read(std::span<std::byte> into) {
  return impl_->read(into);
}

}  // namespace firstlight
