// What containerd, or whoever reaches its socket, asks of the snapshotter: labels of a layer to prepare,
// filters of a listing.
#include <cstdlib>

#include "actors/node/filter_pattern.hpp"
#include "config/snapshot_limits.hpp"
#include "model/labelled_layer.hpp"
#include "test/fuzz/fuzz_entry.hpp"

using namespace firstlight;

namespace {

/// Lines `key=value`.
snapshot_labels labels_in(std::string_view text) {
  snapshot_labels labels;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto middle = std::min(line.find('='), line.size());
    labels.emplace(line.substr(0, middle), line.substr(std::min(line.size(), middle + 1)));
  }
  return labels;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const snapshot_limits limits;
  const std::string text(reinterpret_cast<const char*>(data), size);
  snapshot_record record{.name = "default/1/a", .parent = "sha256:aa", .labels = labels_in(text)};
  if (const auto layer = labelled_layer_of(record.labels)) {
    if (layer->target.empty() || layer->reference.empty()) std::abort();
    const auto again = labelled_layer_of(labels_of(*layer));
    if (!again || again->reference != layer->reference || again->target != layer->target) std::abort();
  }
  if (size > limits.filter_bytes_max) return 0;
  const auto filter = snapshot_filter::parse({text}, [&](const std::string& expression) {
    return compile_filter_pattern(expression, limits.pattern_bytes_max);
  });
  if (filter) static_cast<void>(filter->matches(record));
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const std::string id(64, 'a');
  return {"containerd.io/snapshot.ref=sha256:" + id +
              "\ncontainerd.io/snapshot/cri.image-ref=docker.io/library/redis:7"
              "\ncontainerd.io/snapshot/cri.manifest-digest=sha256:" +
              id,
          "containerd.io/snapshot.ref=sha256:" + id +
              "\ncontainerd.io/snapshot/remote/stargz.reference=a.b/c@sha256:" + id,
          R"(name==default/1/a,labels."containerd.io/snapshot.ref"!=x,kind~=act.*,parent)",
          R"(name~=/(a|b)+\/[0-9]{1,9}$/,labels.a~="\x41*")"};
}
