#include "storage/image_catalogue.hpp"

#include <algorithm>

#include "schemas/segment_codec.hpp"
#include "storage/beside.hpp"
#include "storage/file_io.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

constexpr table images_table{"image"};
constexpr table orders_table{"order"};
constexpr table learned_table{"learned"};
constexpr table held_table{"containerd-image"};
constexpr int whole_level = 19;  // once for each image
constexpr int patch_level = 6;   // once for each pair of images, while a node waits

std::string record_key(const std::string& reference, const std::string& platform) {
  return reference + '\0' + platform;
}

catalogue_name name_in(std::string_view key) {
  const auto middle = std::min(key.find('\0'), key.size());
  return {std::string(key.substr(0, middle)), std::string(key.substr(std::min(middle + 1, key.size())))};
}

std::string_view as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
bytes_view as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

template <class Fits>
result<std::optional<image_record>> first_of(const result<std::vector<image_record>>& records, Fits fits) {
  if (!records) return tl::unexpected(records.error());
  const auto found = std::find_if(records->begin(), records->end(), fits);
  if (found == records->end()) return std::nullopt;
  return *found;
}

}  // namespace

image_catalogue::image_catalogue(std::filesystem::path folder, database& metadata,
                                 const catalogue_limits& limits)
    : folder_(std::move(folder)), metadata_(metadata), limits_(limits) {}

result<std::unique_ptr<image_catalogue>> image_catalogue::open(const std::filesystem::path& folder,
                                                               database& metadata,
                                                               const catalogue_limits& limits) {
  std::error_code problem;
  std::filesystem::create_directories(folder / "tocs", problem);
  if (problem) return fail(errc::io, "cannot make " + (folder / "tocs").string() + ": " + problem.message());
  return std::unique_ptr<image_catalogue>(new image_catalogue(folder, metadata, limits));
}

result<std::optional<image_record>> image_catalogue::find(const std::string& reference,
                                                          const std::string& platform) const {
  auto stored = metadata_.get(images_table, record_key(reference, platform));
  if (!stored) return tl::unexpected(stored.error());
  if (!*stored) return std::nullopt;
  auto record = decode_image_record(as_bytes(**stored));
  if (!record) return fail(record.error(), "the record of image " + reference);
  return std::move(*record);
}

template <class Visit>
result<void> image_catalogue::for_each(Visit visit) const {
  return metadata_.scan(images_table, "", [&](std::string_view key, std::string_view value) {
    visit(key, decode_image_record(as_bytes(value)));
    return scan_step::next;
  });
}

result<std::vector<image_record>> image_catalogue::list() const {
  std::vector<image_record> records;
  auto scanned = for_each([&](std::string_view, result<image_record> record) {
    if (record) records.push_back(std::move(*record));
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return records;
}

result<std::vector<image_record>> image_catalogue::list_whole() const {
  if (const auto damaged = unreadable(); !damaged || !damaged->empty())
    return damaged ? fail(errc::corrupt, "the record of image " + damaged->front().name + " cannot be read")
                   : tl::unexpected(damaged.error());
  return list();
}

result<std::vector<unreadable_record>> image_catalogue::unreadable() const {
  std::vector<unreadable_record> records;
  auto scanned = for_each([&](std::string_view key, const result<image_record>& record) {
    if (record) return;
    auto name = name_in(key);
    records.push_back({std::move(name.reference), record.error().detail, std::move(name.platform)});
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return records;
}

result<std::optional<image_record>> image_catalogue::find_manifest(const digest& manifest) const {
  return first_of(list(), [&](const image_record& record) { return record.manifest_digest == manifest; });
}

result<std::optional<image_record>> image_catalogue::find_toc(const toc_id& id) const {
  return first_of(list(), [&](const image_record& record) { return record.toc == id; });
}

result<void> image_catalogue::put(const image_record& record) {
  const std::lock_guard lock(records_mutex_);
  return write(record);
}

result<image_record> image_catalogue::change(const std::string& reference, const std::string& platform,
                                             const std::function<void(image_record&)>& how) {
  const std::lock_guard lock(records_mutex_);
  auto record = find(reference, platform);
  if (!record) return tl::unexpected(record.error());
  if (!*record) return fail(errc::not_found, "image " + reference + " (" + platform + ") is not known");
  how(**record);
  if (auto written = write(**record); !written) return tl::unexpected(written.error());
  return **record;
}

result<void> image_catalogue::write(const image_record& record) {
  // An incomplete image is fetched again after a power cut, and a reader waits for its mount now.
  const auto how = record.complete ? durability::synced : durability::buffered;
  return metadata_.put(images_table, record_key(record.reference, record.platform),
                       as_text(encode_image_record(record)), how);
}

result<void> image_catalogue::remove(const std::string& reference, const std::string& platform) {
  const std::lock_guard lock(records_mutex_);
  const auto record = find(reference, platform);
  if (!record && record.error().code != errc::corrupt) return tl::unexpected(record.error());
  if (record && !*record)
    return fail(errc::not_found, "image " + reference + " (" + platform + ") is not known");
  const auto others = list_whole();
  if (!others && others.error().code != errc::corrupt) return tl::unexpected(others.error());
  // While any record cannot be read, what it needs is not known.
  const bool last =
      record && others && std::count_if(others->begin(), others->end(), [&](const image_record& other) {
                            return other.toc == (*record)->toc;
                          }) == 1;
  write_batch batch;
  batch.erase(images_table, record_key(reference, platform));
  batch.erase(held_table, record_key(reference, platform));
  if (last)
    for (const auto& orders : {orders_table, learned_table})
      batch.erase(orders, as_key((*record)->toc.value));
  if (auto written = metadata_.write(batch, durability::synced); !written) return written;
  if (last) forget_toc((*record)->toc);
  return {};
}

result<void> image_catalogue::hold_for_containerd(const catalogue_name& image) {
  // Before the image's record: it outlives a power cut if that does.
  return metadata_.put(held_table, record_key(image.reference, image.platform), {});
}

result<void> image_catalogue::hold_for_users(const catalogue_name& image) {
  const auto held = is_held_for_containerd(image);
  if (!held) return tl::unexpected(held.error());
  if (!*held) return {};
  return metadata_.erase(held_table, record_key(image.reference, image.platform), durability::synced);
}

result<bool> image_catalogue::is_held_for_containerd(const catalogue_name& image) const {
  return metadata_.get(held_table, record_key(image.reference, image.platform))
      .map([](const std::optional<std::string>& mark) { return mark.has_value(); });
}

result<std::vector<catalogue_name>> image_catalogue::held_for_containerd() const {
  std::vector<catalogue_name> images;
  auto scanned = metadata_.scan(held_table, "", [&](std::string_view key, std::string_view) {
    images.push_back(name_in(key));
    return scan_step::next;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return images;
}

result<std::uint32_t> image_catalogue::forget_tocs(const dated_tocs& tocs) {
  for (const auto& [written, id] : tocs) {
    write_batch batch;
    for (const auto& orders : {orders_table, learned_table}) batch.erase(orders, as_key(id.value));
    if (auto done = metadata_.write(batch, durability::buffered); !done) return tl::unexpected(done.error());
    forget_toc(id);
  }
  return static_cast<std::uint32_t>(tocs.size());
}

result<std::shared_ptr<const toc_view>> image_catalogue::store_toc(const made_toc& made) {
  if (auto known = toc(made.id)) return known;
  // The contents first: a tree on disk has its contents beside it.
  auto written = write_file_durably(toc_path(made.id, toc_part::contents), made.contents).and_then([&] {
    return write_file_durably(toc_path(made.id, toc_part::tree), made.tree);
  });
  if (!written) return tl::unexpected(written.error());
  return toc(made.id);
}

result<std::shared_ptr<const toc_view>> image_catalogue::open_tree(const toc_id& id, const shared_bytes& tree,
                                                                   const opened_toc& meanwhile) {
  {
    const std::lock_guard lock(mutex_);
    if (auto known = find_open(id)) return known;
  }
  // Side by side, since a mount waits for both; opening trusts nothing.
  auto matching = beside([&] { return sha256(tree.bytes) == id.value; });
  auto opened = toc_view::open(tree);
  if (opened && meanwhile) meanwhile(*opened);
  if (!matching.get()) return fail(errc::corrupt, "a table of contents does not match its id");
  if (!opened) return opened;
  const std::lock_guard lock(mutex_);
  if (auto known = find_open(id)) return known;
  keep_open(id, *opened);
  return opened;
}

result<void> image_catalogue::store_tree(const toc_id& id, const toc_view& toc) {
  return write_file(toc_path(id, toc_part::tree), toc.message());
}

result<void> image_catalogue::store_contents(const toc_id& id, const toc_view& toc, shared_bytes contents) {
  // What is known is also stored: known contents are named as held, and the hub does not send them again.
  return check_contents(toc, contents.bytes)
      .and_then([&] { return write_file(toc_path(id, toc_part::contents), contents.bytes); })
      .and_then([&] { return toc.learn_contents(contents); });
}

result<std::shared_ptr<const toc_view>> image_catalogue::map_tree(const toc_id& id) const {
  const auto tree = map_file(toc_path(id, toc_part::tree));
  if (!tree) return fail(tree.error(), "TOC " + id.value.hex());
  if (sha256(tree->bytes) != id.value)
    return fail(errc::corrupt, "the stored TOC " + id.value.hex() + " is damaged");
  return toc_view::open(*tree);
}

result<std::shared_ptr<const toc_view>> image_catalogue::tree(const toc_id& id) const {
  if (auto whole = toc(id); whole || !toc_is_lost(whole.error().code)) return whole;
  const std::lock_guard lock(mutex_);
  if (auto known = find_open(id)) return known;
  auto opened = map_tree(id);
  if (opened) keep_open(id, *opened);
  return opened;
}

result<std::shared_ptr<const toc_view>> image_catalogue::toc(const toc_id& id) const {
  const std::lock_guard lock(mutex_);
  if (auto known = find_open(id)) {
    if (known->contents_known()) return known;
    return fail(errc::not_found, "the contents of TOC " + id.value.hex() + " are still on their way");
  }
  auto opened = map_tree(id);
  if (!opened) return opened;
  if ((*opened)->content_count() == 0) {
    keep_open(id, *opened);
    return opened;
  }
  const auto contents = map_file(toc_path(id, toc_part::contents));
  if (!contents)
    return fail(errc::corrupt, "content ids of TOC " + id.value.hex() + ": " + contents.error().detail);
  if (auto learnt = learn_checked(**opened, *contents); !learnt) return tl::unexpected(learnt.error());
  keep_open(id, *opened);
  return opened;
}

/// Whoever uses it keeps its mapping. A file that nobody names does no harm, so failures are not told.
void image_catalogue::forget_toc(const toc_id& id) {
  const std::lock_guard lock(mutex_);
  if (const auto known = open_.extract(id)) std::erase(recent_, known.mapped().lock());
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "tocs", ignored))
    if (file.path().filename().string().find(id.value.hex()) != std::string::npos)
      std::filesystem::remove(file.path(), ignored);
}

image_catalogue::toc_pointer image_catalogue::find_open(const toc_id& id) const {
  const auto known = open_.find(id);
  return known == open_.end() ? nullptr : known->second.lock();
}

void image_catalogue::keep_open(const toc_id& id, const toc_pointer& toc) const {
  std::erase_if(open_, [](const auto& entry) { return entry.second.expired(); });
  open_[id] = toc;
  recent_.push_front(toc);
  if (recent_.size() > limits_.tocs_kept_open) recent_.pop_back();
}

result<toc_frame> image_catalogue::packed_toc(const toc_id& id, toc_part part,
                                              const std::optional<toc_id>& base) const {
  auto wanted = toc(id);
  if (!wanted) return tl::unexpected(wanted.error());
  auto had = base && *base != id ? toc(*base) : std::shared_ptr<const toc_view>();
  if (!had) return tl::unexpected(had.error());
  const auto file = toc_path(id, part).string() + (*had ? "-" + base->value.hex() : "") + ".packed";
  if (auto stored = map_file(file)) {
    if (auto frame = decode_toc_frame(*stored)) return frame;
  }
  auto packed = pack_toc(**wanted, part, had->get(), *had ? patch_level : whole_level);
  if (!packed) return packed;
  if (auto written = write_file_durably(file, encode_toc_frame(*packed)); !written)
    return tl::unexpected(written.error());
  if (*had) drop_old_patches();
  return packed;
}

/// Each pair of images makes a patch: the oldest ones are not likely to be asked for again. Failures to
/// remove one are not told: the next patch tries again.
void image_catalogue::drop_old_patches() const {
  std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> patches;
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "tocs", ignored))
    if (file.path().extension() == ".packed" &&
        file.path().filename().string().find('-') != std::string::npos)
      patches.emplace_back(file.last_write_time(ignored), file.path());
  if (patches.size() <= limits_.patches_kept_max) return;
  std::sort(patches.begin(), patches.end());
  for (std::size_t i = 0; i < patches.size() - limits_.patches_kept_max; ++i)
    std::filesystem::remove(patches[i].second, ignored);
}

result<shared_bytes> image_catalogue::unpacked_toc(const toc_frame& frame) const {
  if (!frame.patch_base) return unpack_toc(frame, nullptr);
  const auto base = toc(*frame.patch_base);
  if (!base) return fail(base.error(), "patch base of a TOC");
  return unpack_toc(frame, base->get());
}

std::filesystem::path image_catalogue::toc_path(const toc_id& id, toc_part part) const {
  return folder_ / "tocs" / (id.value.hex() + (part == toc_part::tree ? ".tree" : ".contents"));
}

result<void> image_catalogue::put_order(const toc_id& id, const stored_order& order, order_kind kind) {
  return metadata_.put(kind == order_kind::learned ? learned_table : orders_table, as_key(id.value),
                       as_text(encode_order(order)), durability::synced);
}

result<void> image_catalogue::forget_learned(const toc_id& id) {
  return metadata_.erase(learned_table, as_key(id.value), durability::synced);
}

result<std::optional<stored_order>> image_catalogue::order(const toc_id& id, order_kind kind) const {
  auto stored = metadata_.get(kind == order_kind::learned ? learned_table : orders_table, as_key(id.value));
  if (!stored) return tl::unexpected(stored.error());
  if (!*stored) return std::nullopt;
  return decode_order(as_bytes(**stored)).map([](stored_order&& order) {
    return std::optional(std::move(order));
  });
}

result<stored_order> image_catalogue::order(const toc_id& id) const {
  for (const auto kind : {order_kind::learned, order_kind::guessed}) {
    auto stored = order(id, kind);
    if (!stored) return tl::unexpected(stored.error());
    if (*stored) return std::move(**stored);
  }
  return stored_order{};
}

}  // namespace firstlight
