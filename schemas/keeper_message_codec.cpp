#include "model/overloaded.hpp"
#include "schemas/capnp_message.hpp"
#include "schemas/keeper.capnp.h"
#include "schemas/keeper_message.hpp"

namespace firstlight {
namespace {

void write(const kept_entry& entry, wire::KeptMount::Builder to) {
  to.setName(detail::text_data(entry.name));
  to.setInit(detail::as_data(entry.init.bytes));
  to.setRecord(detail::as_data(entry.record.bytes));
}

shared_bytes copy_of(kj::ArrayPtr<const kj::byte> data) {
  const auto bytes = detail::as_bytes(data);
  return share({bytes.begin(), bytes.end()});
}

kept_entry read(wire::KeptMount::Reader from) {
  return {detail::as_text(from.getName()), copy_of(from.getInit()), copy_of(from.getRecord())};
}

}  // namespace

std::vector<std::byte> encode(const keeper_message& message) {
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<wire::KeeperMessage>();
  std::visit(overloaded{
                 [&](const keeper_keep& keep) { write(keep.entry, root.initKeep()); },
                 [&](const keeper_drop& drop) { root.setDrop(detail::text_data(drop.name)); },
                 [&](const keeper_list&) { root.setList(); },
                 [&](const keeper_kept& kept) { write(kept.entry, root.initKept()); },
                 [&](const keeper_end&) { root.setEnd(); },
             },
             message);
  return detail::flat_bytes(builder);
}

result<keeper_message> decode_keeper_message(bytes_view bytes) {
  return detail::decode_message<wire::KeeperMessage>(
      bytes, [](wire::KeeperMessage::Reader root) -> result<keeper_message> {
        switch (root.which()) {
          case wire::KeeperMessage::KEEP:
            return keeper_keep{read(root.getKeep())};
          case wire::KeeperMessage::DROP:
            return keeper_drop{detail::as_text(root.getDrop())};
          case wire::KeeperMessage::LIST:
            return keeper_list{};
          case wire::KeeperMessage::KEPT:
            return keeper_kept{read(root.getKept())};
          case wire::KeeperMessage::END:
            return keeper_end{};
        }
        return fail(errc::corrupt, "a keeper's message of an unknown kind");
      });
}

}  // namespace firstlight
