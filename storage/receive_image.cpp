#include "storage/receive_image.hpp"

#include <algorithm>

#include "model/image_reference.hpp"
#include "model/labelled_layer.hpp"
#include "schemas/image_config_json.hpp"
#include "schemas/toc_statement_codec.hpp"
#include "storage/beside.hpp"
#include "storage/holdings.hpp"

namespace firstlight {
namespace {

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

image_record record_of(const wanted_image& wanted, const toc_id& id, const toc_view& toc) {
  const auto now = unix_now();
  return {.reference = wanted.reference,
          .platform = wanted.platform,
          .source = wanted.reference,
          .toc = id,
          .top_digest = toc.manifest_digest(),
          .manifest_digest = toc.manifest_digest(),
          .compressed_bytes = toc.compressed_bytes(),
          .content_bytes = toc.content_bytes(),
          .files = toc.inode_count(),
          .added_at = now,
          .last_used_at = now,
          .checked_at = now,
          .complete = false};
}

/// Its name by digest; none of an image that has no other, or none at all.
std::optional<std::string> name_by_digest(const image_record& record) {
  const auto reference = parse_image_reference(record.reference);
  if (!reference || reference->pinned) return std::nullopt;
  return pinned_reference(record.reference, record.manifest_digest);
}

/// Before its record is replaced, so that at no time nothing names its contents.
result<version_replaced> set_aside(const receive_tools& tools, const image_record& former) {
  const auto pinned = tools.former == former_versions::pinned ? name_by_digest(former) : std::nullopt;
  if (!pinned) return version_replaced{};
  const auto there = tools.catalogue.find(*pinned, former.platform);
  if (there && *there) return version_replaced{};  // somebody's; nothing has to be added
  auto record = former;
  record.reference = record.source = *pinned;
  const version_replaced done{{*pinned, former.platform}};
  auto kept =
      tools.catalogue.hold_for_containerd(done.former).and_then([&] { return tools.catalogue.put(record); });
  if (!kept) return tl::unexpected(kept.error());
  return done;
}

result<void> replace(const receive_tools& tools, const image_record& former, const image_record& record) {
  const bool other = former.manifest_digest != record.manifest_digest;
  const auto aside = other ? set_aside(tools, former) : version_replaced{};
  if (!aside) return tl::unexpected(aside.error());
  if (auto put = tools.catalogue.put(record); !put) return put;
  if (tools.replaced) tools.replaced(*aside);
  return {};
}

/// The record of an image that is known already stays: a pull that brings nothing new takes nothing away. One
/// that cannot be read is replaced.
result<mountable_image> keep(const receive_tools& tools, const wanted_image& wanted, const toc_id& id,
                             std::shared_ptr<const toc_view> toc) {
  auto known = tools.catalogue.find(wanted.reference, wanted.platform);
  if (!known && known.error().code != errc::corrupt) return tl::unexpected(known.error());
  if (known && *known && (*known)->toc == id) return mountable_image{**known, std::move(toc)};
  const auto record = record_of(wanted, id, *toc);
  const auto put = known && *known ? replace(tools, **known, record) : tools.catalogue.put(record);
  if (!put) return tl::unexpected(put.error());
  return mountable_image{record, std::move(toc)};
}

/// Unpacks, checks and opens the tree that a hub's statement is about.
result<std::shared_ptr<const toc_view>> open_signed(const receive_tools& tools, const toc_statement& said,
                                                    const toc_frame& frame) {
  auto tree = tools.catalogue.unpacked_toc(frame);
  if (!tree) return tl::unexpected(tree.error());
  const auto plan = [&](const std::shared_ptr<const toc_view>& opened) {
    if (tools.plans != nullptr) tools.plans->plan_ahead(opened, said.toc);
  };
  auto toc = tools.catalogue.open_tree(said.toc, *tree, plan);
  if (!toc) return tl::unexpected(toc.error());
  if ((*toc)->manifest_digest() != said.manifest_digest)
    return fail(errc::denied, "the hub signed another manifest than the TOC names");
  return toc;
}

struct signed_image {
  toc_statement said;
  std::shared_ptr<const toc_view> toc;
};

/// The same, and whether a hub of this cluster said it: beside the unpacking, which takes longer. A TOC goes
/// by its digest, so opening one that nobody has signed gives away nothing.
result<signed_image> open_verified(const receive_tools& tools, const toc_frame& frame) {
  auto verified =
      beside([&] { return verify_toc(tools.authority, frame.origin, std::chrono::system_clock::now()); });
  auto toc = decode_toc_statement(frame.origin.statement).and_then([&](const toc_statement& claimed) {
    return open_signed(tools, claimed, frame);
  });
  auto said = verified.get();
  if (!said) return tl::unexpected(said.error());
  if (!toc) return tl::unexpected(toc.error());
  return signed_image{std::move(*said), std::move(*toc)};
}

result<std::string> platform_of(const toc_view& toc, const platform& home) {
  const auto config = parse_image_config(toc.config_json());
  if (!config) return tl::unexpected(config.error());
  return suitability(config->target, home) > 0 ? home.text() : config->target.text();
}

}  // namespace

result<pull_request> describe_pull(const receive_tools& tools, const wanted_image& wanted,
                                   const std::optional<mountable_image>& interrupted,
                                   std::uint64_t delivery) {
  pull_request pull{delivery, wanted.reference, wanted.platform, {}, std::nullopt};
  if (interrupted) {
    pull.toc = interrupted->record.toc;
    if (interrupted->toc->contents_known())  // else the hub sends the TOC once more
      pull.had.push_back(holdings_of(interrupted->record.toc, *interrupted->toc, tools.contents));
  }
  auto records = tools.catalogue.list();
  if (!records) return tl::unexpected(records.error());
  // The image's own former version is the best to patch against, then what was used last.
  std::sort(records->begin(), records->end(), [&](const image_record& a, const image_record& b) {
    const bool same_a = a.reference == wanted.reference;
    const bool same_b = b.reference == wanted.reference;
    return same_a != same_b ? same_a : a.last_used_at > b.last_used_at;
  });
  for (const auto& record : *records) {
    if (pull.had.size() > tools.limits.had_images_max) break;
    if (std::any_of(pull.had.begin(), pull.had.end(),
                    [&](const had_image& had) { return had.toc == record.toc; }))
      continue;
    auto toc = tools.catalogue.toc(record.toc);
    if (toc) pull.had.push_back(holdings_of(record.toc, **toc, tools.contents));
  }
  return pull;
}

result<mountable_image> open_received_tree(const receive_tools& tools, const wanted_image& wanted,
                                           const toc_frame& frame) {
  auto opened = open_verified(tools, frame);
  if (!opened) return tl::unexpected(opened.error());
  const auto& said = opened->said;
  if (said.reference != wanted.reference)
    return fail(errc::denied, "the hub signed " + said.reference + " instead of " + wanted.reference);
  return keep(tools, wanted, said.toc, std::move(opened->toc));
}

result<void> store_tree(const receive_tools& tools, const mountable_image& image) {
  return tools.catalogue.store_tree(image.record.toc, *image.toc);
}

result<void> keep_contents(const receive_tools& tools, const mountable_image& image, const toc_frame& frame) {
  auto contents = tools.catalogue.unpacked_toc(frame);
  if (!contents) return tl::unexpected(contents.error());
  return tools.catalogue.store_contents(image.record.toc, *image.toc, std::move(*contents));
}

result<mountable_image> keep_bundled_toc(const receive_tools& tools, const platform& home,
                                         const toc_frame& tree, const toc_frame& contents) {
  auto opened = open_verified(tools, tree);
  if (!opened) return tl::unexpected(opened.error());
  const auto& said = opened->said;
  const auto platform = platform_of(*opened->toc, home);
  if (!platform) return tl::unexpected(platform.error());
  if (auto stored = tools.catalogue.store_tree(said.toc, *opened->toc); !stored)
    return tl::unexpected(stored.error());
  auto image = keep(tools, {said.reference, *platform}, said.toc, std::move(opened->toc));
  if (!image) return image;
  if (auto kept = keep_contents(tools, *image, contents); !kept) return tl::unexpected(kept.error());
  return image;
}

result<mountable_image> keep_stored_toc(const receive_tools& tools, const wanted_image& wanted,
                                        const toc_id& id) {
  auto toc = tools.catalogue.toc(id);
  if (!toc) return tl::unexpected(toc.error());
  return keep(tools, wanted, id, std::move(*toc));
}

result<bool> make_complete(const receive_tools& tools, const mountable_image& image) {
  if (auto durable = tools.contents.checkpoint(); !durable) return tl::unexpected(durable.error());
  if (!measure_held(*image.toc, tools.contents).incomplete.empty()) return false;
  const auto complete = [&](image_record& record) {
    record.complete = record.complete || record.toc == image.record.toc;  // the tag may have moved meanwhile
  };
  if (auto put = tools.catalogue.change(image.record.reference, image.record.platform, complete); !put)
    return tl::unexpected(put.error());
  return true;
}

std::uint64_t bytes_of(const toc_view& toc, const std::vector<block_run>& runs) {
  std::uint64_t bytes = 0;
  for (const auto& run : runs)
    bytes += toc.geometry().length(toc.content_size(run.content), run.first, run.count);
  return bytes;
}

}  // namespace firstlight
