#include "actors/node/layer_store.hpp"

#include "actors/errors.hpp"

namespace firstlight {
namespace {

caf::result<layer_record> answer(result<layer_record> outcome) {
  if (outcome) return std::move(*outcome);
  return to_caf(outcome.error());
}

result<layer_record> find(const layer_registry& registry, const find_layer& wanted) {
  struct visitor {
    const layer_registry& registry;
    std::optional<layer_record> operator()(layer_id id) const { return registry.find(id); }
    std::optional<layer_record> operator()(const std::string& name) const { return registry.find_name(name); }
    std::optional<layer_record> operator()(const std::filesystem::path& path) const {
      return registry.find_path(path);
    }
  };
  if (auto found = std::visit(visitor{registry}, wanted.by)) return std::move(*found);
  return fail(errc::not_found, "no such layer is registered");
}

}  // namespace

layer_store::behavior_type make_layer_store(layer_store::pointer self, layer_store_tools tools) {
  self->set_exit_handler([self](caf::exit_msg& told) { self->quit(std::move(told.reason)); });
  self->set_error_handler([](caf::error&) {});  // an asker that went away is no reason to end
  auto& registry = *tools.registry;
  auto now = std::move(tools.now);
  return {
      [&registry, now](register_layer& wanted) {
        return answer(registry.add({std::move(wanted.place), std::move(wanted.name), wanted.access,
                                    wanted.progress, wanted.toc, std::move(wanted.labels), now()}));
      },
      [&registry](const find_layer& wanted) { return answer(find(registry, wanted)); },
      [&registry](list_layers) { return layer_list{registry.list()}; },
      [&registry, now](complete_layer done) { return answer(registry.complete(done.id, now())); },
      [&registry, now](acquire_layer used) { return answer(registry.acquire(used.id, now())); },
      [&registry, now](release_layer unused) { return answer(registry.release(unused.id, now())); },
      [&registry](label_layer& labelled) {
        return answer(registry.set_labels(labelled.id, std::move(labelled.labels)));
      },
      [&registry](remove_layer unwanted) -> caf::result<void> {
        const auto removed = registry.remove(unwanted.id, unwanted.files);
        if (removed) return caf::unit;
        return to_caf(removed.error());
      },
      [&registry](const forget_layer_record& damaged) -> caf::result<record_forgotten> {
        auto files = registry.forget_unreadable(damaged.name);
        if (!files) return to_caf(files.error());
        return record_forgotten{std::move(*files)};
      },
  };
}

}  // namespace firstlight
