#include "storage/content_store.hpp"

#include "storage/content_writer.hpp"
#include "storage/disk_content_store.hpp"
#include "storage/sha256.hpp"

namespace firstlight {

result<std::unique_ptr<content_store>> content_store::open(std::filesystem::path folder, database& metadata,
                                                           block_geometry geometry,
                                                           std::uint32_t open_files_max,
                                                           const content_store_limits& limits) {
  auto files = content_files::open(folder);
  if (!files) return tl::make_unexpected(files.error());
  auto store =
      std::make_unique<disk_content_store>(std::move(*files), metadata, geometry, open_files_max, limits);
  if (auto loaded = store->load(); !loaded) return tl::make_unexpected(loaded.error());
  return store;
}

disk_content_store::disk_content_store(content_files files, database& metadata, block_geometry geometry,
                                       std::uint32_t open_files_max, const content_store_limits& limits)
    : files_(std::move(files)),
      records_(metadata, geometry),
      geometry_(geometry),
      limits_(limits),
      complete_descriptors_(open_files_max / 2),
      partial_descriptors_(open_files_max / 2) {}

content_state disk_content_store::state(const content_id& id) const {
  const auto there = index_.find(id);
  if (there.complete_size) return content_state::complete;
  if (!there.arriving) return content_state::absent;
  const std::scoped_lock guard(there.arriving->lock);
  return there.arriving->blocks.empty() ? content_state::absent : content_state::partial;
}

block_set disk_content_store::blocks(const content_info& content) const {
  const auto there = index_.find(content.id);
  block_set none(geometry_.count(content.size));
  if (there.complete_size) {
    none.insert(0, none.blocks());
    return none;
  }
  if (!there.arriving || there.arriving->info.size != content.size) return none;
  const std::scoped_lock guard(there.arriving->lock);
  return there.arriving->blocks;
}

bool disk_content_store::ready(const content_info& content, std::uint32_t first, std::uint32_t count) const {
  const auto there = index_.find(content.id);
  if (there.complete_size) return true;
  if (!there.arriving) return false;
  const std::scoped_lock guard(there.arriving->lock);
  return there.arriving->blocks.contains(first, count);
}

result<void> disk_content_store::check_range(const content_info& content, std::uint32_t first,
                                             std::size_t bytes) const {
  const auto begin = geometry_.offset(first);
  const auto end = begin + bytes;
  if (bytes == 0 || begin >= content.size || end > content.size ||
      (end != content.size && end % geometry_.block_bytes != 0))
    return fail(errc::invalid_argument, "bytes do not end on a block of content " + content.id.root.hex());
  return {};
}

result<content_index::found> disk_content_store::find_for_writing(const content_info& content) {
  auto there = index_.find_or_make(content, geometry_.count(content.size));
  const auto size = there.complete_size ? *there.complete_size : there.arriving->info.size;
  if (size != content.size)
    return fail(errc::invalid_argument, "content " + content.id.root.hex() + " is known with another size");
  if (auto durable = make_removal_durable(content.id); !durable) return tl::make_unexpected(durable.error());
  return there;
}

result<void> disk_content_store::make_removal_durable(const content_id& id) {
  // Else the record of a removed content could outlive a power cut and vouch for its new file.
  if (removed_not_durable_count_ == 0) return {};
  const std::scoped_lock guard(removal_lock_);
  if (!removed_not_durable_.contains(id)) return {};
  if (auto synced = records_.sync(); !synced) return synced;
  removed_not_durable_.clear();
  removed_not_durable_count_ = 0;
  return {};
}

result<content_state> disk_content_store::write(const content_info& content, std::uint32_t first,
                                                bytes_view bytes) {
  if (auto checked = check_range(content, first, bytes.size()); !checked)
    return tl::make_unexpected(checked.error());
  for (;;) {  // again only when the content was completed or removed meanwhile
    const auto there = find_for_writing(content);
    if (!there) return tl::make_unexpected(there.error());
    if (there->complete_size) return content_state::complete;
    auto& target = *there->arriving;
    if (bytes.size() == content.size) {
      const std::scoped_lock guard(target.lock);
      if (target.gone) continue;
      if (target.blocks.empty()) return write_whole(target, bytes);
    }
    const auto written = write_blocks(target, first, bytes);
    if (!written) return tl::make_unexpected(written.error());
    if (*written) return **written;
  }
}

template <class Place>
result<content_state> disk_content_store::make_complete(arriving_content& target, Place place) {
  if (auto placed = place(); !placed) return tl::make_unexpected(placed.error());
  partial_descriptors_.erase(target.info.id);
  index_.complete(target);
  return content_state::complete;
}

result<content_state> disk_content_store::write_whole(arriving_content& target, bytes_view bytes) {
  auto done = make_complete(target, [&] { return files_.write_complete(target.info.id, bytes); });
  if (done)
    bytes_stored_ += target.info.size;
  else
    index_.drop(target);
  return done;
}

result<std::optional<content_state>> disk_content_store::write_blocks(arriving_content& target,
                                                                      std::uint32_t first, bytes_view bytes) {
  handle file;
  {
    const std::scoped_lock guard(target.lock);
    if (target.gone) return std::nullopt;
    auto opened = partial_handle(target.info.id);
    if (!opened) return tl::make_unexpected(opened.error());
    file = std::move(*opened);
  }
  // Without the lock: readers of other blocks need not wait for the disk.
  if (auto written = write_at(file->get(), bytes, geometry_.offset(first), target.info.id.root.hex());
      !written)
    return tl::make_unexpected(written.error());
  const std::scoped_lock guard(target.lock);
  if (target.gone) return std::nullopt;
  const auto count = geometry_.count(bytes.size());
  for (const auto& run : target.blocks.missing(0, first, count))
    bytes_stored_ += geometry_.length(target.info.size, run.first, run.count);
  target.blocks.insert(first, count);
  target.changed = true;
  if (!target.blocks.complete()) return content_state::partial;
  const auto done = make_complete(target, [&] { return files_.promote(target.info.id); });
  if (!done) return tl::make_unexpected(done.error());
  return *done;
}

result<void> disk_content_store::adopt(const content_info& content, const std::string& name) {
  for (;;) {
    const auto there = find_for_writing(content);
    if (!there) return tl::make_unexpected(there.error());
    if (there->complete_size) {
      files_.remove_unnamed(name);
      return {};
    }
    auto& target = *there->arriving;
    const std::scoped_lock guard(target.lock);
    if (target.gone) continue;
    const auto done = make_complete(target, [&] { return files_.promote_unnamed(name, content.id); });
    if (!done) return tl::make_unexpected(done.error());
    for (const auto& run : target.blocks.missing(0, 0, target.blocks.blocks()))
      bytes_stored_ += geometry_.length(content.size, run.first, run.count);
    return files_.remove_partial(content.id);
  }
}

result<disk_content_store::handle> disk_content_store::partial_handle(const content_id& id) const {
  if (auto cached = partial_descriptors_.find(id)) return cached;
  auto opened = files_.open_partial(id);
  if (!opened) return tl::make_unexpected(opened.error());
  return partial_descriptors_.insert(id, std::move(*opened));
}

result<disk_content_store::handle> disk_content_store::complete_handle(const content_info& content,
                                                                       std::uint64_t stored_size) const {
  if (stored_size != content.size)
    return fail(errc::corrupt, "content " + content.id.root.hex() + " is known with another size");
  if (auto cached = complete_descriptors_.find(content.id)) return cached;
  auto opened = files_.open_complete(content.id);
  if (!opened && opened.error().code == errc::not_found && index_.find(content.id).complete_size)
    return fail(errc::corrupt, "the file of content " + content.id.root.hex() + " is missing");
  if (!opened && opened.error().code == errc::not_found)
    return fail(errc::not_ready, "content " + content.id.root.hex() + " has been removed");
  if (!opened) return tl::make_unexpected(opened.error());
  return complete_descriptors_.insert(content.id, std::move(*opened));
}

result<disk_content_store::handle> disk_content_store::readable_handle(const content_info& content,
                                                                       std::uint64_t offset,
                                                                       std::size_t bytes) const {
  for (;;) {  // again only when the content was completed or removed meanwhile
    const auto there = index_.find(content.id);
    if (there.complete_size) return complete_handle(content, *there.complete_size);
    if (there.arriving) {
      const std::scoped_lock guard(there.arriving->lock);
      if (there.arriving->gone) continue;
      const auto first = static_cast<std::uint32_t>(offset / geometry_.block_bytes);
      const auto last = static_cast<std::uint32_t>((offset + bytes - 1) / geometry_.block_bytes);
      if (there.arriving->info.size == content.size &&
          there.arriving->blocks.contains(first, last - first + 1))
        return partial_handle(content.id);
    }
    return fail(errc::not_ready, "blocks of content " + content.id.root.hex() + " have not arrived");
  }
}

result<std::size_t> disk_content_store::read(const content_info& content, std::uint64_t offset,
                                             std::span<std::byte> into) const {
  if (offset >= content.size || into.empty()) return 0;
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), content.size - offset)));
  const auto file = readable_handle(content, offset, into.size());
  if (!file) return tl::make_unexpected(file.error());
  const auto got = read_at((*file)->get(), into, offset, content.id.root.hex());
  if (got && *got != into.size())
    return fail(errc::corrupt, "the file of content " + content.id.root.hex() + " is too short");
  return got;
}

result<int> disk_content_store::open_complete(const content_info& content) const {
  const auto there = index_.find(content.id);
  if (!there.complete_size)
    return fail(errc::not_ready, "content " + content.id.root.hex() + " is not complete");
  auto opened = files_.open_complete(content.id);
  if (opened) return opened->release();
  if (opened.error().code == errc::not_found)
    return fail(errc::corrupt, "the file of content " + content.id.root.hex() + " is missing");
  return tl::make_unexpected(opened.error());
}

std::unique_ptr<content_writer> disk_content_store::new_content() {
  return std::make_unique<disk_content_writer>(*this);
}

result<std::vector<digest>> disk_content_store::leaves(const content_info& content) const {
  const auto count = geometry_.count(content.size);
  if (count == 1) return std::vector<digest>{content.id.root};
  if (!index_.find(content.id).complete_size)
    return fail(errc::not_ready, "content " + content.id.root.hex() + " is not complete");
  const auto hasher = sha256_merkle();
  auto stored = records_.leaves(content.id, count);
  if (!stored) return tl::make_unexpected(stored.error());
  if (*stored && merkle_root(hasher, **stored) == content.id.root) return std::move(**stored);

  std::vector<digest> hashes;
  std::vector<std::byte> block(geometry_.block_bytes);
  for (std::uint32_t at = 0; at < count; ++at) {
    const auto got = read(content, geometry_.offset(at), block);
    if (!got) return tl::make_unexpected(got.error());
    hashes.push_back(hasher.leaf(bytes_view(block).first(*got)));
  }
  if (merkle_root(hasher, hashes) != content.id.root)
    return fail(errc::corrupt, "the file of content " + content.id.root.hex() + " does not match its id");
  if (auto kept = records_.put_leaves(content.id, hashes); !kept) return tl::make_unexpected(kept.error());
  return hashes;
}

void disk_content_store::for_each(
    const std::function<void(const content_info&, content_state)>& visit) const {
  for (const auto& content : index_.all_complete()) visit(content, content_state::complete);
  for (const auto& content : index_.all_arriving())
    if (state(content->info.id) == content_state::partial) visit(content->info, content_state::partial);
}

}  // namespace firstlight
