#include "schemas/peer_codec.hpp"

#include <algorithm>
#include <limits>

#include "model/overloaded.hpp"
#include "schemas/capnp_message.hpp"
#include "schemas/trace.capnp.h"

namespace firstlight {
namespace {

result<trace_id> read_id(capnp::Data::Reader in) {
  return digest_from_bytes(detail::as_bytes(in)).map([](const digest& value) { return trace_id{value}; });
}

}  // namespace

std::vector<std::byte> encode_inquiry(const peer_inquiry& question) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::PeerQuestion>();
  std::visit(overloaded{[&](const ids_question& ids) {
                          auto out = root.initIds();
                          out.setEpoch(ids.epoch);
                          out.setPosition(ids.position);
                          out.setWaitMillis(static_cast<std::uint32_t>(std::clamp<std::int64_t>(
                              ids.wait.count(), 0, std::numeric_limits<std::uint32_t>::max())));
                        },
                        [&](const trace_question& one) { root.setTrace(detail::as_data(one.id.value)); }},
             question);
  return detail::flat_bytes(message);
}

std::vector<std::byte> encode_reply(const peer_reply& answer) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::PeerAnswer>();
  std::visit(
      overloaded{[&](const ids_answer& ids) {
                   auto out = root.initIds();
                   out.setEpoch(ids.epoch);
                   out.setPosition(ids.position);
                   out.setLast(ids.last);
                   out.setWaited(ids.waited);
                   auto list = out.initIds(static_cast<unsigned>(ids.ids.size()));
                   for (unsigned i = 0; i < list.size(); ++i) list.set(i, detail::as_data(ids.ids[i].value));
                 },
                 [&](const trace_answered& one) { root.setTrace(detail::as_data(bytes_view(one.encoded))); }},
      answer);
  return detail::flat_bytes(message);
}

result<peer_inquiry> decode_inquiry(bytes_view message) {
  return detail::decode_message<wire::PeerQuestion>(message, [](auto root) -> result<peer_inquiry> {
    if (root.isIds()) {
      const auto in = root.getIds();
      return ids_question{in.getEpoch(), in.getPosition(), std::chrono::milliseconds(in.getWaitMillis())};
    }
    if (!root.isTrace()) return fail(errc::corrupt, "a question of an unknown kind");
    return read_id(root.getTrace()).map([](const trace_id& id) -> peer_inquiry {
      return trace_question{id};
    });
  });
}

result<peer_reply> decode_reply(bytes_view message) {
  return detail::decode_message<wire::PeerAnswer>(message, [](auto root) -> result<peer_reply> {
    if (root.isTrace()) {
      const auto bytes = detail::as_bytes(root.getTrace());
      return trace_answered{{bytes.begin(), bytes.end()}};
    }
    if (!root.isIds()) return fail(errc::corrupt, "an answer of an unknown kind");
    const auto in = root.getIds();
    ids_answer ids{in.getEpoch(), in.getPosition(), in.getLast(), {}, in.getWaited()};
    ids.ids.reserve(in.getIds().size());
    for (const auto one : in.getIds()) {
      const auto id = read_id(one);
      if (!id) return tl::unexpected(id.error());
      ids.ids.push_back(*id);
    }
    return ids;
  });
}

}  // namespace firstlight
