#include "schemas/segment_codec.hpp"

#include "schemas/capnp_message.hpp"
#include "schemas/toc_tables_codec.hpp"

namespace firstlight {
namespace {

using detail::as_bytes;
using detail::as_data;

std::vector<std::byte> copy(kj::ArrayPtr<const kj::byte> data) {
  const auto bytes = as_bytes(data);
  return {bytes.begin(), bytes.end()};
}

template <class List>
void write_runs(List to, const std::vector<block_run>& runs) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setContent(runs[i].content);
    to[i].setFirst(runs[i].first);
    to[i].setCount(runs[i].count);
  }
}

void write_proofs(wire::Segment::Builder to, const std::vector<content_proof>& proofs) {
  auto list = to.initProofs(static_cast<unsigned>(proofs.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setContent(proofs[i].content);
    auto nodes = list[i].initNodes(static_cast<unsigned>(proofs[i].nodes.size()));
    for (unsigned n = 0; n < nodes.size(); ++n) {
      nodes[n].setLevel(proofs[i].nodes[n].level);
      nodes[n].setIndex(proofs[i].nodes[n].index);
      nodes[n].setHash(as_data(proofs[i].nodes[n].hash));
    }
  }
}

result<content_proof> read_proof(wire::Proof::Reader from) {
  content_proof proof{from.getContent(), {}};
  for (const auto node : from.getNodes()) {
    const auto hash = digest_from_bytes(as_bytes(node.getHash()));
    if (!hash) return tl::make_unexpected(hash.error());
    proof.nodes.push_back({node.getLevel(), node.getIndex(), *hash});
  }
  return proof;
}

result<segment> read_segment(wire::Segment::Reader from, const std::shared_ptr<const void>& owner) {
  segment value;
  value.sequence = from.getSequence();
  value.bytes = from.getBytes();
  value.out_of_turn = from.getOutOfTurn();
  value.frame = {as_bytes(from.getFrame()), owner};
  for (const auto run : from.getRuns())
    value.runs.push_back({run.getContent(), run.getFirst(), run.getCount()});
  if (from.getPatchBase().size() != 0) {
    const auto base = digest_from_bytes(as_bytes(from.getPatchBase()));
    if (!base) return tl::make_unexpected(base.error());
    value.patch_base = content_info{{*base}, from.getPatchSize()};
  }
  for (const auto each : from.getProofs()) {
    auto proof = read_proof(each);
    if (!proof) return tl::make_unexpected(proof.error());
    value.proofs.push_back(std::move(*proof));
  }
  return value;
}

result<toc_frame> read_toc_frame(wire::TocFrame::Reader from, const std::shared_ptr<const void>& owner) {
  toc_frame value;
  if (from.getPart() > wire::TocPart::CONTENTS) return fail(errc::corrupt, "a TOC frame of an unknown part");
  value.part = static_cast<toc_part>(from.getPart());
  const auto origin = from.getSigned();
  value.origin = {copy(origin.getStatement()), copy(origin.getSignature()),
                  detail::as_text(origin.getCertificate())};
  value.bytes = from.getBytes();
  value.frame = {as_bytes(from.getFrame()), owner};
  auto tables = detail::read_tables(from.getTables());
  if (!tables) return tl::make_unexpected(tables.error());
  value.tables = std::move(*tables);
  if (from.getPatchBase().size() == 0) return value;
  const auto base = digest_from_bytes(as_bytes(from.getPatchBase()));
  if (!base) return tl::make_unexpected(base.error());
  value.patch_base = toc_id{*base};
  return value;
}

result<void> check_aligned(const shared_bytes& message) {
  if (reinterpret_cast<std::uintptr_t>(message.bytes.data()) % sizeof(capnp::word) != 0)
    return fail(errc::invalid_argument, "a message must be aligned to 8 bytes");
  return {};
}

}  // namespace

std::vector<std::byte> encode_segment(const segment& value) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::Segment>();
  to.setSequence(value.sequence);
  to.setBytes(value.bytes);
  to.setOutOfTurn(value.out_of_turn);
  write_runs(to.initRuns(static_cast<unsigned>(value.runs.size())), value.runs);
  to.setFrame(as_data(value.frame.bytes));
  if (value.patch_base) {
    to.setPatchBase(as_data(value.patch_base->id.root));
    to.setPatchSize(value.patch_base->size);
  }
  write_proofs(to, value.proofs);
  return detail::flat_bytes(message);
}

std::vector<std::byte> encode_toc_frame(const toc_frame& value) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::TocFrame>();
  to.setPart(static_cast<wire::TocPart>(value.part));
  auto origin = to.initSigned();
  origin.setStatement(as_data(value.origin.statement));
  origin.setSignature(as_data(value.origin.signature));
  origin.setCertificate(as_data(std::as_bytes(std::span(value.origin.certificate_pem))));
  to.setBytes(value.bytes);
  to.setFrame(as_data(value.frame.bytes));
  if (value.patch_base) to.setPatchBase(as_data(value.patch_base->value));
  detail::write_tables(to.initTables(static_cast<unsigned>(value.tables.size())), value.tables);
  return detail::flat_bytes(message);
}

result<segment> decode_segment(const shared_bytes& message) {
  if (auto aligned = check_aligned(message); !aligned) return tl::make_unexpected(aligned.error());
  return detail::decode_message<wire::Segment>(
      message.bytes, [&](wire::Segment::Reader from) { return read_segment(from, message.owner); });
}

result<toc_frame> decode_toc_frame(const shared_bytes& message) {
  if (auto aligned = check_aligned(message); !aligned) return tl::make_unexpected(aligned.error());
  return detail::decode_message<wire::TocFrame>(
      message.bytes, [&](wire::TocFrame::Reader from) { return read_toc_frame(from, message.owner); });
}

}  // namespace firstlight
