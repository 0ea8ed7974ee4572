#include "actors/hub/prepare_delivery.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "schemas/toc_contents.hpp"
#include "storage/beside.hpp"
#include "storage/joint_start.hpp"

namespace firstlight {
namespace {

/// What a node holds, by content id, gathered over all images that it named and the hub knows.
struct holdings {
  std::unordered_map<content_id, block_set> blocks;
  std::vector<std::pair<toc_id, std::shared_ptr<const toc_view>>> images;
};

void note(holdings& held, const toc_view& toc, const had_image& had) {
  const auto complete = block_set::from_words(toc.content_count(), had.complete);
  const auto geometry = toc.geometry();
  const auto add = [&](std::uint32_t index, block_set blocks) {
    auto& known = held.blocks[toc.content(index).id];
    if (blocks.count() > known.count()) known = std::move(blocks);
  };
  for (std::uint32_t i = 0; i < toc.content_count(); ++i) {
    if (!complete.contains(i)) continue;
    const auto blocks = geometry.count(toc.content_size(i));
    block_set all(blocks);
    all.insert(0, blocks);
    add(i, std::move(all));
  }
  for (const auto& partial : had.partials)
    if (partial.content < toc.content_count())
      add(partial.content,
          block_set::from_words(geometry.count(toc.content_size(partial.content)), partial.blocks));
}

holdings holdings_of(const image_catalogue& catalogue, const pull_request& request) {
  holdings held;
  for (const auto& had : request.had) {
    auto toc = catalogue.toc(had.toc);  // one that this hub does not know says nothing
    if (!toc) continue;
    note(held, **toc, had);
    held.images.emplace_back(had.toc, std::move(*toc));
  }
  return held;
}

/// What of these contents lenders bring, and the node does not hold whole: each from the first that does.
loans loans_of(const std::vector<content_info>& contents, block_geometry geometry, const holdings& held,
               std::span<const lender> lenders) {
  loans borrowed;
  if (lenders.empty()) return borrowed;
  std::unordered_map<content_id, loan> offered;
  for (const auto& one : lenders) {
    if (one.geometry.block_bytes != geometry.block_bytes) continue;
    for (std::uint32_t i = 0; i < one.contents->size(); ++i)
      if (!one.borrowed->contains(i)) offered.try_emplace((*one.contents)[i].id, loan{one.delivery, i});
  }
  for (std::uint32_t i = 0; i < contents.size(); ++i) {
    const auto known = held.blocks.find(contents[i].id);
    if (known != held.blocks.end() && known->second.complete()) continue;
    if (const auto found = offered.find(contents[i].id); found != offered.end())
      borrowed.emplace(i, found->second);
  }
  return borrowed;
}

/// A plan does without what is not known: then the images count as started at once.
std::map<toc_id, std::chrono::milliseconds> offsets_of(const preparation_tools& tools,
                                                       const image_record& wanted,
                                                       std::span<const lender> lenders) {
  if (lenders.empty()) return {};
  std::vector<joint_image> together{{wanted.toc, wanted.reference}};
  for (const auto& one : lenders)
    if (std::none_of(together.begin(), together.end(),
                     [&](const joint_image& other) { return other.toc == one.toc; }))
      together.push_back({one.toc, one.reference});
  auto offsets = joint_start(tools.traces, together, tools.starts);
  if (!offsets) spdlog::warn("traces of groups cannot be used: {}", to_string(offsets.error()));
  return std::move(offsets).value_or(std::map<toc_id, std::chrono::milliseconds>{});
}

had_contents had_of(const std::vector<content_info>& contents, const holdings& held, const loans& borrowed) {
  had_contents had{block_set(static_cast<std::uint32_t>(contents.size())), {}};
  for (const auto& [content, from] : borrowed) had.complete.insert(content, 1);
  for (std::uint32_t i = 0; i < contents.size(); ++i) {
    if (borrowed.contains(i)) continue;
    const auto known = held.blocks.find(contents[i].id);
    if (known == held.blocks.end()) continue;
    if (known->second.complete())
      had.complete.insert(i, 1);
    else
      had.partial.emplace(i, known->second);
  }
  return had;
}

/// Files whose contents the node holds whole: what patches can refer to.
std::vector<file_content> patchable_files(const holdings& held) {
  std::vector<file_content> files;
  for (const auto& [id, toc] : held.images)
    for (auto& file : files_of(toc->tree())) {
      const auto known = held.blocks.find(file.content.id);
      if (known != held.blocks.end() && known->second.complete()) files.push_back(std::move(file));
    }
  return files;
}

std::vector<patch_base> patches_for(const preparation_tools& tools, const toc_view& wanted,
                                    const std::vector<content_info>& contents, const holdings& held) {
  if (held.images.empty()) return {};
  const auto had = patchable_files(held);
  if (had.empty()) return {};
  return find_delta(contents, files_of(wanted.tree()), had, tools.patch).patches;
}

bool holds_toc(const pull_request& request, const toc_id& id) {
  return std::any_of(request.had.begin(), request.had.end(),
                     [&](const had_image& had) { return had.toc == id; });
}

/// The image that the node would name first of those that both know: its TOC is what a patch refers to.
std::optional<toc_id> patch_base_of(const image_catalogue& catalogue, const pull_request& request) {
  for (const auto& had : request.had)
    if (catalogue.toc(had.toc)) return had.toc;
  return std::nullopt;
}

}  // namespace

result<std::vector<toc_frame>> prepare_toc(const preparation_tools& tools, const known_image& image,
                                           const pull_request& request, std::int64_t now) {
  std::vector<toc_frame> frames;
  if (holds_toc(request, image.record.toc)) return frames;
  const toc_statement statement{image.record.toc, image.record.manifest_digest, request.reference, now};
  auto signing = beside([&] { return sign_toc(tools.identity, statement); });
  const auto base = patch_base_of(tools.catalogue, request);
  for (const auto part : {toc_part::tree, toc_part::contents}) {
    auto packed = tools.catalogue.packed_toc(image.record.toc, part, base);
    if (!packed) return tl::unexpected(packed.error());
    frames.push_back(std::move(*packed));
  }
  auto origin = signing.get();
  if (!origin) return tl::unexpected(origin.error());
  frames.front().origin = std::move(*origin);
  return frames;
}

prepared_delivery prepare_delivery(const preparation_tools& tools, const known_image& image,
                                   const pull_request& request, std::span<const lender> lenders) {
  const auto held = holdings_of(tools.catalogue, request);
  auto contents = std::make_shared<const std::vector<content_info>>(contents_of(*image.toc));
  auto borrowed = std::make_shared<const loans>(loans_of(*contents, image.toc->geometry(), held, lenders));
  const auto had = had_of(*contents, held, *borrowed);
  const auto patches = patches_for(tools, *image.toc, *contents, held);
  const auto order = as_content_order(*image.order);
  auto plan = std::make_shared<const bundle_plan>(
      plan_bundle({*contents, image.toc->geometry(), had, order, patches, tools.plan}));
  return {.started = {.toc = image.record.toc,
                      .toc_sent = !holds_toc(request, image.record.toc),
                      .delivered_bytes = plan->bytes,
                      .segments = static_cast<std::uint32_t>(plan->segments.size()),
                      .last_known = image.last_known},
          .plan = std::move(plan),
          .contents = std::move(contents),
          .borrowed = std::move(borrowed),
          .offsets = offsets_of(tools, image.record, lenders)};
}

}  // namespace firstlight
