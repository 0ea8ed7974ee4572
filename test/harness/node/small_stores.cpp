#include "test/harness/node/small_stores.hpp"

#include <stdexcept>

#include "test/harness/layout_builder.hpp"
#include "test/harness/node/test_image.hpp"
#include "test/harness/tar_builder.hpp"

namespace firstlight {
namespace {

template <class T>
T good(result<T> outcome) {
  if (!outcome) throw std::runtime_error(to_string(outcome.error()));
  return std::move(*outcome);
}

}  // namespace

test_authority::test_authority() {
  if (auto made = init_ca(folder_.path()); !made) throw std::runtime_error(to_string(made.error()));
  hub_ = good(issue_certificate(folder_.path(), pki_role::hub, "main"));
}

trust_anchor test_authority::anchor() const {
  return good(trust_anchor::load(folder_.path() / "ca.crt"));
}
signing_identity test_authority::hub() const {
  return good(signing_identity::load(hub_.certificate, hub_.key));
}

hub_stores::hub_stores(const test_authority& authority)
    : identity(authority.hub()),
      metadata(good(database::open(folder.path() / "metadata"))),
      contents(good(content_store::open(folder.path(), *metadata, {}, 64))),
      catalogue(good(image_catalogue::open(folder.path(), *metadata))),
      layers(make_layer_cache(*metadata)),
      builder(std::make_unique<segment_builder>(*contents, nullptr, block_geometry{})),
      traces(good(trace_store::open(*metadata, learning.kept))) {}

std::string hub_stores::layout(const std::string& tar) {
  const auto where = folder.path() / ("layout" + std::to_string(++layouts_));
  write_layout(where, {tar});
  return "oci:" + where.string() + ":latest";
}

known_image hub_stores::add(const std::string& name, const std::string& tar) {
  const add_image_request request{.reference = good(parse_image_reference(layout(tar))),
                                  .wanted = host_platform(),
                                  .name = good(parse_image_reference(name)).text(),
                                  .now = 1'700'000'000,
                                  .progress = [](const pull_progress&) {},
                                  .stop = nullptr};
  const auto record =
      good(add_image({*catalogue, *contents, *layers, source, order_limits, *traces, learning}, request));
  return {record,
          good(catalogue->toc(record.toc)),
          std::make_shared<const stored_order>(good(catalogue->order(record.toc))),
          false,
          {}};
}

node_stores::node_stores(const test_authority& authority)
    : anchor(authority.anchor()),
      metadata(good(database::open(folder.path() / "metadata"))),
      contents(good(content_store::open(folder.path(), *metadata, {}, 64))),
      catalogue(good(image_catalogue::open(folder.path(), *metadata))) {}

std::string some_layer(std::uint32_t seed) {
  tar_builder tar;
  tar.folder("bin/").file("bin/program", patterned_bytes(700'000, seed), 0755);
  tar.folder("lib/").file("lib/library", patterned_bytes(1'500'000, seed + 1), 0644);
  for (int i = 0; i < 5; ++i)
    tar.file("lib/small" + std::to_string(i), "small " + std::to_string(i) + " of " + std::to_string(seed));
  return tar.take();
}

}  // namespace firstlight
