#include "storage/add_image.hpp"

#include "model/quantity.hpp"
#include "storage/chain_ids.hpp"

namespace firstlight {
namespace {

pull_progress as_pull_progress(const ingest_progress& progress) {
  const auto layer = std::min(progress.layers_done + 1, progress.layers_total);
  return {"fetching layer " + std::to_string(layer) + " of " + std::to_string(progress.layers_total),
          progress.bytes_done, progress.bytes_total};
}

content_order order_of(const add_image_tools& tools, const ingested_image& image) {
  const auto read = [&](const content_info& content, std::uint64_t offset,
                        std::uint32_t length) -> result<std::vector<std::byte>> {
    std::vector<std::byte> bytes(length);
    auto got = tools.contents.read(content, offset, bytes);
    if (!got) return tl::unexpected(got.error());
    if (*got != length) return fail(errc::corrupt, "content " + content.id.root.hex() + " is too short");
    return bytes;
  };
  return guess_order(image.tree, {}, image.config, read, tools.order_limits);
}

stored_order as_stored(content_order order) {
  return {std::move(order.runs), static_cast<std::uint32_t>(order.guessed_runs)};
}

/// Whether traces of an image came before it, be it that they had no room.
bool was_traced(const trace_store& traces, const toc_id& image) {
  const auto early = traces.stamps(image);
  const auto without_room = traces.had_no_room();
  return (early && !early->empty()) || (without_room && without_room->contains(image));
}

result<image_record> keep(const add_image_tools& tools, const add_image_request& request,
                          const ingested_image& image) {
  const toc_header header{.block_bytes = default_block_bytes,
                          .manifest_digest = image.manifest_digest,
                          .manifest_json = image.manifest_json,
                          .config_json = image.config_json,
                          .compressed_bytes = image.compressed_bytes};
  const auto made = make_toc(header, image.tree);
  if (!made) return tl::unexpected(made.error());
  const auto& id = made->id;
  if (auto durable = tools.contents.checkpoint(); !durable) return tl::unexpected(durable.error());
  auto toc = tools.catalogue.store_toc(*made);
  if (!toc) return tl::unexpected(toc.error());
  // When a disk fails another image's checkpoint may have forgotten what this one has stored or found.
  if (!holds_all(tools.contents, **toc))
    return fail(errc::io, "the disk failed while " + request.name + " was being added; add it again");
  // Packing takes longer than the round trip that the first node would wait for it.
  for (const auto part : {toc_part::tree, toc_part::contents})
    if (auto packed = tools.catalogue.packed_toc(id, part, std::nullopt); !packed)
      return tl::unexpected(packed.error());
  if (auto put = tools.catalogue.put_order(id, as_stored(order_of(tools, image))); !put)
    return tl::unexpected(put.error());
  const image_record record{.reference = request.name,
                            .platform = request.wanted.text(),
                            .source = request.reference.text(),
                            .toc = id,
                            .top_digest = image.top_digest,
                            .manifest_digest = image.manifest_digest,
                            .compressed_bytes = image.compressed_bytes,
                            .content_bytes = (*toc)->content_bytes(),
                            .files = (*toc)->inode_count(),
                            .layers = request.reference.layers != 0
                                          ? request.reference.layers
                                          : static_cast<std::uint32_t>(image.config.diff_ids.size()),
                            .added_at = request.now,
                            .last_used_at = request.now,
                            .checked_at = request.now,
                            .complete = true};
  if (auto put = tools.catalogue.put(record); !put) return tl::unexpected(put.error());
  // Without what starts teach the image is delivered as guessed.
  if (auto learned = learn_image(
          {tools.catalogue, tools.traces, tools.learning, tools.unlearned, request.stop, &tools.contents},
          id);
      !learned && tools.unlearned)
    tools.unlearned(learned.error());
  if (tools.traced && was_traced(tools.traces, id)) tools.traced(id);
  return record;
}

/// The known record with a new time of checking, when the reference still means the same and the store has
/// all of it. One that has been removed meanwhile is not brought back.
result<std::optional<image_record>> unchanged(const add_image_tools& tools, const add_image_request& request,
                                              image_source& source) {
  auto known = tools.catalogue.find(request.name, request.wanted.text());
  if (!known || !*known) return known;
  auto current = source.current_digest();
  if (!current) return tl::unexpected(current.error());
  if (*current != (*known)->top_digest) return std::nullopt;
  const auto toc = tools.catalogue.toc((*known)->toc);
  if (!toc && toc_is_lost(toc.error().code)) return std::nullopt;
  if (toc && !holds_all(tools.contents, **toc)) return std::nullopt;
  auto checked = tools.catalogue.change(request.name, request.wanted.text(), [&](image_record& record) {
    if (record.top_digest == *current) record.checked_at = request.now;
  });
  if (!checked && checked.error().code == errc::not_found) return std::nullopt;
  if (!checked) return tl::unexpected(checked.error());
  return checked->top_digest == *current ? std::optional(std::move(*checked)) : std::nullopt;
}

/// What the manifest's digest must be if the image is read from elsewhere.
digest pinned_digest(const add_image_request& request, const ingested_image& image) {
  const auto layers = request.reference.layers;
  const auto& pinned = request.reference.pinned.value();
  return layers == 0 || layers == image.config.diff_ids.size() ? pinned : layers_digest(pinned, layers);
}

/// `no_space` if the image is the one that has just been refused.
result<void> refuse_again(const add_image_tools& tools, const add_image_request& request,
                          image_source& source) {
  if (!request.refused) return {};
  const auto current = source.current_digest();
  if (!current) return tl::unexpected(current.error());
  if (*current != request.refused->image) return {};
  if (request.no_room) request.no_room(*request.refused);
  const store_room room{tools.store_bytes_max, tools.contents.bytes_stored()};
  return fail(room.no_room(), request.reference.text() + " was tried a moment ago and brings at least " +
                                  rounded_bytes(request.refused->bytes));
}

}  // namespace

bool holds_all(const content_store& contents, const toc_view& toc) {
  for (std::uint32_t i = 0; i < toc.content_count(); ++i)
    if (contents.state(toc.content(i).id) != content_state::complete) return false;
  return true;
}

result<image_record> add_image(const add_image_tools& tools, const add_image_request& request) {
  request.progress({"resolving " + request.reference.text(), 0, 0});
  auto source = open_image_source(request.read_from.value_or(request.reference), tools.source);
  if (!source) return tl::unexpected(source.error());
  auto same = unchanged(tools, request, **source);
  if (!same) return tl::unexpected(same.error());
  if (*same) return **same;
  if (auto room = refuse_again(tools, request, **source); !room) return tl::unexpected(room.error());
  const ingest_tools ingest{tools.contents,
                            tools.layers,
                            tools.source.limits,
                            [&](const ingest_progress& progress) { request.progress(as_pull_progress(progress)); },
                            request.stop,
                            request.reference.layers,
                            tools.store_bytes_max,
                            request.no_room};
  auto image = ingest_image(**source, request.wanted, ingest);
  if (!image) return tl::unexpected(image.error());
  if (request.read_from && image->manifest_digest != pinned_digest(request, *image))
    return fail(errc::not_found, request.read_from->text() + " is another image by now");
  request.progress({"merging and guessing the order", image->compressed_bytes, image->compressed_bytes});
  return keep(tools, request, *image);
}

result<std::optional<image_record>> check_image(const add_image_tools& tools,
                                                const add_image_request& request) {
  auto source = open_image_source(request.read_from.value_or(request.reference), tools.source);
  if (!source) return tl::unexpected(source.error());
  return unchanged(tools, request, **source);
}

}  // namespace firstlight
