#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

admin_layer report(const layer_record& layer) {
  return {.key = layer.name,
          .path = layer.path,
          .writable = layer.access == layer_access::writable,
          .complete = layer.progress == layer_progress::complete,
          .references = layer.references,
          .last_used_at = layer.used_at};
}

layer_placement placement_of(const admin_layer_register& asked) {
  switch (asked.place) {
    case layer_place::automatic:
      return automatic_place{};
    case layer_place::prefix:
      return indexed_place{asked.path};
    case layer_place::relative:
      return relative_place{asked.path};
    case layer_place::absolute:
      return absolute_place{asked.path};
  }
  return automatic_place{};
}

void answer(const layer_record& layer, admin_promise reply) {
  deliver(reply, report(layer));
}

/// Looks a layer up by its name, then does `next(layer)`.
template <class Next>
void with_layer(const node_shell& my, const std::string& key, admin_promise reply, Next next) {
  my.self->request(my.tools->layer_store, caf::infinite, find_layer{key})
      .then(std::move(next), [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

void remove_registered(const node_shell& my, const admin_layer_remove& asked, admin_promise reply) {
  with_layer(my, asked.key, reply, [=](const layer_record& layer) {
    const auto files = asked.keep_files ? layer_files::keep : layer_files::remove;
    my.self->request(my.tools->layer_store, caf::infinite, remove_layer{layer.id, files})
        .then(
            [=] {
              auto gone = report(layer);
              if (!asked.keep_files) gone.path.clear();
              deliver(reply, gone);
            },
            [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
  });
}

/// Asks who has it to forget a record that could not be read. If there is none of that name, `otherwise`.
template <class Handle, class Request, class Otherwise>
void forget_record(const node_shell& my, const Handle& whom, Request what, const std::string& key,
                   admin_promise reply, Otherwise otherwise) {
  my.self->request(whom, caf::infinite, std::move(what))
      .then(
          [=](const record_forgotten& done) {
            my.state().events.note("record forgotten", key);
            deliver(reply, admin_layer{.key = key, .path = done.files.string()});
          },
          [=](caf::error& problem) mutable {
            if (from_caf(problem).code == errc::not_found) return otherwise();
            reply.deliver(std::move(problem));
          });
}

}  // namespace

void register_layer_for(const node_shell& my, const admin_layer_register& asked, admin_promise reply) {
  my.self
      ->request(
          my.tools->layer_store, caf::infinite,
          register_layer{.place = placement_of(asked),
                         .access = asked.writable ? layer_access::writable : layer_access::read_only,
                         .progress = asked.complete ? layer_progress::complete : layer_progress::incomplete,
                         .toc = std::nullopt,
                         .labels = {},
                         .name = asked.key})
      .then([reply](const layer_record& layer) { answer(layer, reply); },
            [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

void list_layers_for(const node_shell& my, admin_promise reply) {
  my.self->request(my.tools->layer_store, caf::infinite, list_layers{})
      .then(
          [reply](const layer_list& known) {
            admin_layer_list said;
            for (const auto& layer : known.layers) said.layers.push_back(report(layer));
            deliver(reply, said);
          },
          [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

void find_layer_for(const node_shell& my, const admin_layer_find& asked, admin_promise reply) {
  with_layer(my, asked.key, reply, [reply](const layer_record& layer) { answer(layer, reply); });
}

void complete_layer_for(const node_shell& my, const admin_layer_complete& asked, admin_promise reply) {
  with_layer(my, asked.key, reply, [my, reply](const layer_record& layer) {
    my.self->request(my.tools->layer_store, caf::infinite, complete_layer{layer.id})
        .then([reply](const layer_record& done) { answer(done, reply); },
              [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
  });
}

void remove_layer_for(const node_shell& my, const admin_layer_remove& asked, admin_promise reply) {
  // What could not be read comes first: none of its files go, whatever else has that name.
  forget_record(my, my.tools->layer_store, forget_layer_record{asked.key}, asked.key, reply, [=] {
    const auto& snapshots = my.state().snapshotter;
    if (!snapshots || !asked.key.starts_with(damaged_snapshot_word))
      return remove_registered(my, asked, reply);
    forget_record(my, snapshots, forget_snapshot_record{asked.key.substr(damaged_snapshot_word.size())},
                  asked.key, reply, [=] { remove_registered(my, asked, reply); });
  });
}

}  // namespace firstlight::detail
