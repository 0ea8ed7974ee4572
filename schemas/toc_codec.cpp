#include <capnp/message.h>
#include <capnp/serialize.h>

#include <limits>
#include <stdexcept>

#include "schemas/toc.capnp.h"
#include "schemas/toc.hpp"
#include "schemas/toc_mode.hpp"

namespace firstlight {
namespace {

constexpr std::uint64_t count_max = std::numeric_limits<std::uint32_t>::max() - 1U;

/// All names, targets and xattrs in one piece.
class name_pool {
 public:
  std::uint32_t add(std::string_view text) {
    const auto offset = bytes_.size();
    bytes_.append(text);
    return static_cast<std::uint32_t>(offset);
  }
  [[nodiscard]] bool fits() const { return bytes_.size() <= count_max; }
  [[nodiscard]] capnp::Data::Reader data() const {
    return {reinterpret_cast<const kj::byte*>(bytes_.data()), bytes_.size()};
  }

 private:
  std::string bytes_;
};

capnp::Data::Reader as_data(std::string_view text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}

struct totals {
  std::uint64_t entries = 0;
  std::uint64_t xattrs = 0;
  std::uint64_t name_bytes = 0;
};

totals sum(const image_tree& tree) {
  totals all;
  for (const auto& inode : tree.inodes) {
    all.xattrs += inode.xattrs.size();
    all.name_bytes += inode.symlink_target.size();
    for (const auto& each : inode.xattrs) all.name_bytes += each.name.size() + each.value.size();
  }
  for (const auto& directory : tree.directories) {
    all.entries += directory.entries.size();
    for (const auto& entry : directory.entries) all.name_bytes += entry.name.size();
  }
  return all;
}

/// An upper bound of the message's words, so that it is always one segment: equal trees, equal bytes.
std::uint64_t words_needed(const toc_header& header, const image_tree& tree, const totals& all) {
  constexpr std::uint64_t slack = 64;
  return slack + tree.inodes.size() * capnp::sizeInWords<wire::Inode>() +
         tree.directories.size() * capnp::sizeInWords<wire::Directory>() +
         all.entries * capnp::sizeInWords<wire::Entry>() + all.xattrs * capnp::sizeInWords<wire::Xattr>() +
         (all.name_bytes + header.manifest_json.size() + header.config_json.size()) / sizeof(capnp::word);
}

result<void> check_counts(const image_tree& tree, const totals& all) {
  if (tree.inodes.empty() || tree.directories.empty())
    return fail(errc::invalid_argument, "an image tree has at least its root");
  for (const auto count : {std::uint64_t{tree.inodes.size()}, std::uint64_t{tree.directories.size()},
                           std::uint64_t{tree.contents.size()}, all.entries, all.xattrs, all.name_bytes})
    if (count > count_max)
      return fail(errc::limit_exceeded, "the image has too many files or names for a TOC");
  return {};
}

/// Writes one message. A struct because all parts fill the same pools.
struct toc_writer {
  const image_tree& tree;
  wire::Toc::Builder toc;
  name_pool names;
  std::vector<std::uint32_t> directory_of;  // by inode position

  void write_directories(std::uint64_t entry_total) {
    auto directories = toc.initDirectories(static_cast<unsigned>(tree.directories.size()));
    auto entries = toc.initEntries(static_cast<unsigned>(entry_total));
    unsigned at = 0;
    for (unsigned i = 0; i < directories.size(); ++i) {
      const auto& from = tree.directories[i];
      directories[i].setInode(from.inode + 1);
      directories[i].setParent(from.parent + 1);
      directories[i].setFirst(at);
      directories[i].setCount(static_cast<std::uint32_t>(from.entries.size()));
      for (const auto& entry : from.entries) {
        entries[at].setInode(entry.inode + 1);
        entries[at].setNameOffset(names.add(entry.name));
        entries[at++].setNameLength(static_cast<std::uint16_t>(entry.name.size()));
      }
    }
  }
  void write_inodes(std::uint64_t xattr_total) {
    auto inodes = toc.initInodes(static_cast<unsigned>(tree.inodes.size()));
    auto xattrs = toc.initXattrs(static_cast<unsigned>(xattr_total));
    unsigned at = 0;
    for (unsigned i = 0; i < inodes.size(); ++i) {
      const auto& from = tree.inodes[i];
      write_inode(from, inodes[i], directory_of[i]);
      inodes[i].setXattrFirst(at);
      inodes[i].setXattrCount(static_cast<std::uint32_t>(from.xattrs.size()));
      for (const auto& each : from.xattrs) {
        xattrs[at].setNameOffset(names.add(each.name));
        xattrs[at].setNameLength(static_cast<std::uint16_t>(each.name.size()));
        xattrs[at].setValueOffset(names.add(each.value));
        xattrs[at++].setValueLength(static_cast<std::uint32_t>(each.value.size()));
      }
    }
  }
  void write_inode(const image_inode& from, wire::Inode::Builder to, std::uint32_t directory) {
    to.setMode(type_bits(from.type) | from.permissions);
    to.setUid(from.uid);
    to.setGid(from.gid);
    to.setLinks(from.links);
    to.setSize(from.size);
    to.setSeconds(from.modified.seconds);
    to.setNanoseconds(from.modified.nanoseconds);
    switch (from.type) {
      case file_type::regular:
        to.setDetail(from.content);
        break;
      case file_type::directory:
        to.setDetail(directory);
        break;
      case file_type::symlink:
        to.setDetail(names.add(from.symlink_target));
        break;
      case file_type::character_device:
      case file_type::block_device:
        to.setDetail(from.device_major << 20U | from.device_minor);
        break;
      case file_type::fifo:
        break;
    }
  }
};

result<void> check_encodable(const image_tree& tree) {
  for (const auto& inode : tree.inodes) {
    if (inode.type == file_type::symlink && inode.size != inode.symlink_target.size())
      return fail(errc::invalid_argument, "a symlink's size is not its target's length");
    if (inode.device_major > device_major_max || inode.device_minor > device_minor_max)
      return fail(errc::limit_exceeded, "a device number does not fit into 12 + 20 bits");
    if (inode.content != image_inode::no_content &&
        (inode.content >= tree.contents.size() || tree.contents[inode.content].size != inode.size))
      return fail(errc::invalid_argument, "a file's size is not its content's");
    for (const auto& each : inode.xattrs)
      if (each.name.size() > name_bytes_max)
        return fail(errc::limit_exceeded, "an xattr's name is longer than 255 bytes");
  }
  for (const auto& directory : tree.directories)
    for (const auto& entry : directory.entries)
      if (entry.name.size() > name_bytes_max)
        return fail(errc::limit_exceeded, "a file name is longer than 255 bytes: " + entry.name);
  return {};
}

std::vector<std::byte> to_bytes(capnp::MessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.begin());
  return {begin, begin + bytes.size()};
}

}  // namespace

std::vector<std::byte> encode_content_ids(const image_tree& tree) {
  std::vector<std::byte> ids;
  ids.reserve(tree.contents.size() * sizeof(digest));
  for (const auto& content : tree.contents)
    ids.insert(ids.end(), content.id.root.bytes.begin(), content.id.root.bytes.end());
  return ids;
}

result<std::vector<std::byte>> encode_toc(const toc_header& header, const image_tree& tree) {
  const auto all = sum(tree);
  if (auto checked = check_counts(tree, all); !checked) return tl::make_unexpected(checked.error());
  if (auto checked = check_encodable(tree); !checked) return tl::make_unexpected(checked.error());
  const auto words = words_needed(header, tree, all);
  if (words > toc_words_max) return fail(errc::limit_exceeded, "the image's table of contents is too large");
  try {
    capnp::MallocMessageBuilder message(static_cast<unsigned>(words), capnp::AllocationStrategy::FIXED_SIZE);
    auto toc = message.initRoot<wire::Toc>();
    toc.setVersion(toc_version);
    toc.setBlockBytes(header.block_bytes);
    toc.setManifestDigest({reinterpret_cast<const kj::byte*>(header.manifest_digest.bytes.data()), 32});
    toc.setManifest(as_data(header.manifest_json));
    toc.setConfig(as_data(header.config_json));
    toc.setCompressedBytes(header.compressed_bytes);
    toc.setContentsDigest({reinterpret_cast<const kj::byte*>(header.contents_digest.bytes.data()), 32});
    toc_writer writer{tree, toc, {}, std::vector<std::uint32_t>(tree.inodes.size())};
    for (std::uint32_t i = 0; i < tree.directories.size(); ++i)
      writer.directory_of.at(tree.directories[i].inode) = i;
    writer.write_inodes(all.xattrs);
    writer.write_directories(all.entries);
    toc.setNames(writer.names.data());
    return to_bytes(message);
  } catch (const std::out_of_range&) {
    return fail(errc::invalid_argument, "a directory names an inode that is not in the tree");
  } catch (const kj::Exception& failure) {
    return fail(errc::limit_exceeded,
                std::string("cannot write the table of contents: ") + failure.getDescription().cStr());
  }
}

}  // namespace firstlight
