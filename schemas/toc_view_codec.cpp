#include <capnp/serialize.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstring>
#include <mutex>

#include "schemas/toc_lists_codec.hpp"
#include "schemas/toc_mode.hpp"

namespace firstlight {
namespace {

std::string_view as_text(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

/// Where the rows of a list stand in its message; nothing for an empty list.
template <class Row>
void note_table(const row_list<Row>& list, bytes_view message, std::vector<column_table>& into) {
  if (list.size() == 0) return;
  into.push_back({static_cast<std::uint64_t>(list.data() - message.data()), list.size(),
                  std::vector<column_form>(sizeof(Row) / sizeof(std::uint32_t))});
}

/// Resolves a list of the message, once.
template <class Wire, class Row>
result<void> take(typename capnp::List<Wire>::Reader list, row_list<Row>& into) {
  auto rows = row_list<Row>::template of<Wire>(list);
  if (!rows) return tl::unexpected(rows.error());
  into = *rows;
  return {};
}

capnp::ReaderOptions reader_options(std::size_t words) {
  capnp::ReaderOptions options;
  // Each list is resolved exactly once; the factor leaves room for padding.
  options.traversalLimitInWords = 2 * std::uint64_t{words} + 64;
  options.nestingLimit = 4;
  return options;
}

}  // namespace

struct toc_view::impl {
  shared_bytes message;
  capnp::FlatArrayMessageReader reader;
  toc_lists lists;
  digest manifest_digest;
  std::string_view manifest;
  std::string_view config;
  std::uint64_t compressed_bytes = 0;
  digest contents_digest;
  std::vector<std::uint64_t> content_sizes;
  std::uint64_t content_bytes = 0;
  std::uint32_t block_bytes = 0;

  std::mutex learning;  // guards the following until it is published
  shared_bytes ids;
  std::atomic<const std::byte*> known_ids{nullptr};  // readers without the lock see it whole or not at all

  impl(shared_bytes from, kj::ArrayPtr<const capnp::word> words)
      : message(std::move(from)), reader(words, reader_options(words.size())) {}

  result<void> resolve() {
    lists.toc = reader.getRoot<wire::Toc>();
    if (lists.toc.getVersion() != toc_version)
      return fail(errc::protocol, "a table of contents of version " + std::to_string(lists.toc.getVersion()) +
                                      "; this program reads version " + std::to_string(toc_version));
    auto taken =
        take<wire::Inode>(lists.toc.getInodes(), lists.inodes)
            .and_then([&] { return take<wire::Directory>(lists.toc.getDirectories(), lists.directories); })
            .and_then([&] { return take<wire::Entry>(lists.toc.getEntries(), lists.entries); })
            .and_then([&] { return take<wire::Xattr>(lists.toc.getXattrs(), lists.xattrs); });
    if (!taken) return taken;
    lists.names = as_text(lists.toc.getNames());
    manifest = as_text(lists.toc.getManifest());
    config = as_text(lists.toc.getConfig());
    compressed_bytes = lists.toc.getCompressedBytes();
    block_bytes = lists.toc.getBlockBytes();
    const auto read = digest_from_bytes(std::as_bytes(std::span(as_text(lists.toc.getManifestDigest()))));
    if (!read) return tl::make_unexpected(read.error());
    manifest_digest = *read;
    const auto ids_digest =
        digest_from_bytes(std::as_bytes(std::span(as_text(lists.toc.getContentsDigest()))));
    if (!ids_digest) return tl::make_unexpected(ids_digest.error());
    contents_digest = *ids_digest;
    return {};
  }
};

toc_view::toc_view(std::unique_ptr<impl> state) : impl_(std::move(state)) {}
toc_view::~toc_view() = default;

result<std::shared_ptr<const toc_view>> toc_view::open(shared_bytes message) {
  const auto bytes = message.bytes;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(capnp::word) != 0)
    return fail(errc::invalid_argument, "a table of contents must be aligned to 8 bytes");
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0)
    return fail(errc::corrupt, "a table of contents is a whole number of 8-byte words");
  try {
    const kj::ArrayPtr<const capnp::word> words(reinterpret_cast<const capnp::word*>(bytes.data()),
                                                bytes.size() / sizeof(capnp::word));
    auto state = std::make_unique<impl>(std::move(message), words);
    if (auto resolved = state->resolve(); !resolved) return tl::make_unexpected(resolved.error());
    auto sizes = validate_toc(state->lists);
    if (!sizes) return tl::make_unexpected(sizes.error());
    state->content_sizes = std::move(*sizes);
    for (const auto size : state->content_sizes) state->content_bytes += size;
    return std::shared_ptr<const toc_view>(new toc_view(std::move(state)));
  } catch (const kj::Exception& failure) {
    return fail(errc::corrupt,
                std::string("a table of contents does not decode: ") + failure.getDescription().cStr());
  }
}

result<void> toc_view::learn_contents(shared_bytes ids) const {
  const std::lock_guard lock(impl_->learning);
  if (contents_known()) return {};
  if (ids.bytes.size() != std::size_t{content_count()} * sizeof(digest))
    return fail(errc::corrupt, "content ids: not one for each content of the image");
  std::vector<digest> sorted(content_count());
  std::memcpy(sorted.data(), ids.bytes.data(), ids.bytes.size());
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return fail(errc::corrupt, "content ids: one is listed twice");
  impl_->ids = std::move(ids);
  impl_->known_ids.store(impl_->ids.bytes.data(), std::memory_order_release);
  return {};
}

bool toc_view::contents_known() const {
  return content_count() == 0 || impl_->known_ids.load(std::memory_order_acquire) != nullptr;
}

bytes_view toc_view::message() const {
  return impl_->message.bytes;
}
std::vector<column_table> toc_view::tables() const {
  const auto& lists = impl_->lists;
  std::vector<column_table> tables;
  note_table(lists.inodes, message(), tables);
  note_table(lists.directories, message(), tables);
  note_table(lists.entries, message(), tables);
  note_table(lists.xattrs, message(), tables);
  std::sort(tables.begin(), tables.end(),
            [](const column_table& a, const column_table& b) { return a.offset < b.offset; });
  return tables;
}

bytes_view toc_view::content_ids() const {
  const auto* begin = impl_->known_ids.load(std::memory_order_acquire);
  if (begin == nullptr) return {};
  return {begin, std::size_t{content_count()} * sizeof(digest)};
}
const digest& toc_view::contents_digest() const {
  return impl_->contents_digest;
}
std::uint32_t toc_view::block_bytes() const {
  return impl_->block_bytes;
}
const digest& toc_view::manifest_digest() const {
  return impl_->manifest_digest;
}
std::string_view toc_view::manifest_json() const {
  return impl_->manifest;
}
std::string_view toc_view::config_json() const {
  return impl_->config;
}
std::uint64_t toc_view::compressed_bytes() const {
  return impl_->compressed_bytes;
}
std::uint32_t toc_view::inode_count() const {
  return impl_->lists.inodes.size();
}
std::uint32_t toc_view::directory_count() const {
  return impl_->lists.directories.size();
}
std::uint32_t toc_view::content_count() const {
  return static_cast<std::uint32_t>(impl_->content_sizes.size());
}
std::uint64_t toc_view::content_bytes() const {
  return impl_->content_bytes;
}

inode_view toc_view::inode(inode_number number) const {
  const auto from = impl_->lists.inodes[number - 1];
  inode_view view;
  view.mode = from.mode;
  view.type = *type_of_mode(view.mode);
  view.uid = from.uid;
  view.gid = from.gid;
  view.links = from.links;
  view.size = from.size;
  view.modified = {from.seconds, from.nanoseconds};
  view.xattr_first = from.xattr_first;
  view.xattr_count = from.xattr_count;
  const auto detail = from.detail;
  switch (view.type) {
    case file_type::regular:
      view.content = detail;
      break;
    case file_type::directory:
      view.directory = detail;
      break;
    case file_type::symlink:
      view.symlink_target = impl_->lists.text(detail, static_cast<std::uint32_t>(view.size));
      break;
    case file_type::character_device:
    case file_type::block_device:
      view.device_major = detail >> 20U;
      view.device_minor = detail & device_minor_max;
      break;
    case file_type::fifo:
      break;
  }
  return view;
}

xattr_view toc_view::xattribute(const inode_view& of, std::uint32_t position) const {
  return xattribute(of.xattr_first + position);
}
std::uint32_t toc_view::xattribute_count() const {
  return impl_->lists.xattrs.size();
}
xattr_view toc_view::xattribute(std::uint32_t index) const {
  const auto from = impl_->lists.xattrs[index];
  return {impl_->lists.text(from.name_offset, from.name_length),
          impl_->lists.text(from.value_offset, from.value_length)};
}

std::uint32_t toc_view::entry_count(const inode_view& directory) const {
  return impl_->lists.directories[directory.directory].count;
}

entry_view toc_view::entry(const inode_view& directory, std::uint32_t position) const {
  const auto from = impl_->lists.entries[impl_->lists.directories[directory.directory].first + position];
  return {impl_->lists.text(from.name_offset, from.name_length), from.inode};
}

inode_number toc_view::parent(const inode_view& directory) const {
  return impl_->lists.directories[directory.directory].parent;
}

std::optional<inode_number> toc_view::lookup(const inode_view& directory, std::string_view name) const {
  std::uint32_t begin = 0;
  std::uint32_t end = entry_count(directory);
  while (begin < end) {
    const auto middle = begin + (end - begin) / 2;
    const auto at = entry(directory, middle);
    if (at.name == name) return at.inode;
    if (at.name < name)
      begin = middle + 1;
    else
      end = middle;
  }
  return std::nullopt;
}

content_info toc_view::content(std::uint32_t index) const {
  const auto* ids = impl_->known_ids.load(std::memory_order_acquire);
  assert(ids != nullptr);
  content_info info{{}, impl_->content_sizes[index]};
  std::memcpy(info.id.root.bytes.data(), ids + std::size_t{index} * sizeof(digest), sizeof(digest));
  return info;
}

std::uint64_t toc_view::content_size(std::uint32_t index) const {
  return impl_->content_sizes[index];
}

image_tree toc_view::tree() const {
  image_tree tree;
  for (inode_number number = root_inode; number <= inode_count(); ++number) {
    const auto from = inode(number);
    image_inode to;
    to.type = from.type;
    to.permissions = static_cast<std::uint16_t>(from.mode & 07777U);
    to.uid = from.uid;
    to.gid = from.gid;
    to.links = from.links;
    to.modified = from.modified;
    to.size = from.size;
    to.device_major = from.device_major;
    to.device_minor = from.device_minor;
    to.content = from.content;
    to.symlink_target = from.symlink_target;
    for (std::uint32_t i = 0; i < from.xattr_count; ++i) {
      const auto each = xattribute(from, i);
      to.xattrs.push_back({std::string(each.name), std::string(each.value)});
    }
    tree.inodes.push_back(std::move(to));
  }
  for (std::uint32_t index = 0; index < impl_->lists.directories.size(); ++index) {
    const auto from = impl_->lists.directories[index];
    image_directory to{from.inode - 1, from.parent - 1, {}};
    const auto view = inode(from.inode);
    for (std::uint32_t i = 0; i < from.count; ++i) {
      const auto each = entry(view, i);
      to.entries.push_back({std::string(each.name), each.inode - 1});
    }
    tree.directories.push_back(std::move(to));
  }
  for (std::uint32_t i = 0; i < content_count(); ++i) tree.contents.push_back(content(i));
  return tree;
}

toc_header toc_view::header() const {
  return {block_bytes(),      manifest_digest(), std::string(manifest_json()), std::string(config_json()),
          compressed_bytes(), contents_digest()};
}

}  // namespace firstlight
