#include "actors/node/snapshotter_shell.hpp"
#include "storage/image_usage.hpp"

namespace firstlight::detail {
namespace {

/// The layers of an image are not kept apart: all of it counts for the highest that is there, and of several
/// above different parents for the first that was made.
bool counts_for_image(const snapshot_index& index, const snapshot_record& record) {
  const auto& what = *record.remote;
  bool counts = true;
  index.each([&](const snapshot_record& other) {
    if (!other.remote || other.remote->manifest != what.manifest) return;
    const auto layers = other.remote->layers;
    if (layers > what.layers || (layers == what.layers && other.id < record.id)) counts = false;
  });
  return counts;
}

/// The image that the lowest layers of a snapshot belong to, if it is another one.
std::optional<digest> image_below(const snapshot_index& index, const snapshot_record& record) {
  for (const auto& parent : index.parents(record))
    if (parent.remote && parent.remote->manifest != record.remote->manifest) return parent.remote->manifest;
  return std::nullopt;
}

/// None while it is on its way, or gone.
result<std::shared_ptr<const toc_view>> toc_of(const image_catalogue& catalogue, const digest& manifest) {
  const auto record = catalogue.find_manifest(manifest);
  if (!record) return tl::unexpected(record.error());
  if (!*record) return nullptr;
  auto toc = catalogue.toc((*record)->toc);
  if (!toc && toc_is_lost(toc.error().code)) return nullptr;
  return toc;
}

result<snapshot_usage> measure_image(const snapshotter_tools& tools, const digest& manifest,
                                     const std::optional<digest>& below) {
  const auto toc = toc_of(tools.catalogue, manifest);
  if (!toc) return tl::unexpected(toc.error());
  if (*toc == nullptr) return snapshot_usage{};
  const auto other = below ? toc_of(tools.catalogue, *below) : nullptr;
  if (!other) return tl::unexpected(other.error());
  return measure_arrived(**toc, other->get(), tools.contents);
}

}  // namespace

void measure(const snapshotter_shell& my, const std::string& name, usage_promise reply) {
  const auto found = my.index().find(name);
  if (!found) return refuse(reply, found.error());
  const bool of_image = found->remote && counts_for_image(my.index(), *found);
  // A view has nothing of its own.
  if (!of_image && found->kind != snapshot_kind::active)
    return deliver(reply, result<snapshot_usage>(found->usage));
  const auto below = of_image ? image_below(my.index(), *found) : std::nullopt;
  run_on(
      my.tools->workers.next(), my.self,
      [tools = my.tools, record = *found, below] {
        return record.remote ? measure_image(*tools, record.remote->manifest, below)
                             : tools->folders.measure(record.id);
      },
      [reply](const result<snapshot_usage>& used) { deliver(reply, used); });
}

}  // namespace firstlight::detail
