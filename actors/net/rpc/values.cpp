#include "actors/net/rpc/values.hpp"

#include <capnp/orphan.h>

#include <bit>
#include <cstring>

#include "actors/messages.hpp"
#include "schemas/toc_tables_codec.hpp"

namespace firstlight {
namespace {

static_assert(std::endian::native == std::endian::little, "bit sets travel as the bytes of their words");

capnp::Data::Reader as_data(bytes_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
capnp::Data::Reader as_data(const digest& value) {
  return as_data(bytes_view(value.bytes));
}
capnp::Text::Reader text(const std::string& value) {
  return {value.c_str(), value.size()};
}
bytes_view view(capnp::Data::Reader in) {
  return {reinterpret_cast<const std::byte*>(in.begin()), in.size()};
}

result<std::string> read_text(capnp::Text::Reader in, std::uint32_t bytes_max, const char* field) {
  if (in.size() > bytes_max) return fail(errc::protocol, std::string(field) + " is too long");
  return std::string(in.begin(), in.size());
}

result<digest> read_digest(capnp::Data::Reader in, const char* field) {
  auto value = digest_from_bytes(view(in));
  if (!value) return fail(errc::protocol, std::string(field) + " is not a digest");
  return value;
}

std::vector<std::uint64_t> read_words(capnp::Data::Reader in) {
  std::vector<std::uint64_t> words((in.size() + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
  if (in.size() > 0) std::memcpy(words.data(), in.begin(), in.size());
  return words;
}

capnp::Data::Reader words_data(const std::vector<std::uint64_t>& words) {
  return as_data(std::as_bytes(std::span(words)));
}

result<had_image> read_had(wire::Had::Reader in) {
  const auto toc = read_digest(in.getToc(), "had.toc");
  if (!toc) return tl::unexpected(toc.error());
  had_image had{{*toc}, read_words(in.getComplete()), {}};
  had.partials.reserve(in.getPartial().size());
  for (const auto one : in.getPartial())
    had.partials.push_back({one.getContent(), read_words(one.getBlocks())});
  return had;
}

void write_had(wire::Had::Builder out, const had_image& had) {
  out.setToc(as_data(had.toc.value));
  out.setComplete(words_data(had.complete));
  auto partials = out.initPartial(static_cast<kj::uint>(had.partials.size()));
  for (kj::uint i = 0; i < partials.size(); ++i) {
    partials[i].setContent(had.partials[i].content);
    partials[i].setBlocks(words_data(had.partials[i].blocks));
  }
}

void write_proof(wire::Proof::Builder out, const content_proof& proof) {
  out.setContent(proof.content);
  auto nodes = out.initNodes(static_cast<kj::uint>(proof.nodes.size()));
  for (kj::uint i = 0; i < nodes.size(); ++i) {
    nodes[i].setLevel(proof.nodes[i].level);
    nodes[i].setIndex(proof.nodes[i].index);
    nodes[i].setHash(as_data(proof.nodes[i].hash));
  }
}

result<content_proof> read_proof(wire::Proof::Reader in) {
  content_proof proof{in.getContent(), {}};
  proof.nodes.reserve(in.getNodes().size());
  for (const auto node : in.getNodes()) {
    const auto hash = read_digest(node.getHash(), "proof.hash");
    if (!hash) return tl::unexpected(hash.error());
    proof.nodes.push_back({node.getLevel(), node.getIndex(), *hash});
  }
  return proof;
}

std::vector<std::byte> copy(capnp::Data::Reader in) {
  return {view(in).begin(), view(in).end()};
}

}  // namespace

shared_bytes copy_data(capnp::Data::Reader in) {
  return share(copy(in));
}

namespace {

capnp::Data::Reader as_data(const secret_text& secret) {
  return {reinterpret_cast<const capnp::byte*>(secret.view().data()), secret.view().size()};
}

void write_login(wire::Login::Builder out, const registry_login& login) {
  out.setUser(text(login.user));
  out.setPassword(as_data(login.password));
  out.setIdentityToken(as_data(login.identity_token));
  out.setRegistryToken(as_data(login.registry_token));
}

secret_text read_secret(capnp::Data::Reader in) {
  return secret_text({reinterpret_cast<const char*>(in.begin()), in.size()});
}

result<shared_login> read_login(wire::Login::Reader in, const link_limits& limits) {
  auto user = read_text(in.getUser(), limits.login_bytes_max, "login");
  if (!user) return tl::unexpected(user.error());
  for (const auto part : {in.getPassword(), in.getIdentityToken(), in.getRegistryToken()})
    if (part.size() > limits.login_bytes_max)
      return fail(errc::protocol, "login is too long (login_bytes_max)");
  return std::make_shared<const registry_login>(
      registry_login{std::move(*user), read_secret(in.getPassword()), read_secret(in.getIdentityToken()),
                     read_secret(in.getRegistryToken())});
}

}  // namespace

void write_pull(wire::PullRequest::Builder out, const pull_request& request) {
  out.setDelivery(request.delivery);
  out.setReference(text(request.reference));
  out.setPlatform(text(request.platform));
  auto had = out.initHad(static_cast<kj::uint>(request.had.size()));
  for (kj::uint i = 0; i < had.size(); ++i) write_had(had[i], request.had[i]);
  if (request.toc) out.setToc(as_data(request.toc->value));
  auto beside = out.initBeside(static_cast<kj::uint>(request.beside.size()));
  for (kj::uint i = 0; i < beside.size(); ++i) beside.set(i, request.beside[i]);
  if (request.login) write_login(out.initLogin(), *request.login);
}

result<pull_request> read_pull(wire::PullRequest::Reader in, const link_limits& limits) {
  pull_request request;
  request.delivery = in.getDelivery();
  auto reference = read_text(in.getReference(), limits.text_bytes_max, "reference");
  if (!reference) return tl::unexpected(reference.error());
  auto platform = read_text(in.getPlatform(), limits.text_bytes_max, "platform");
  if (!platform) return tl::unexpected(platform.error());
  request.reference = std::move(*reference);
  request.platform = std::move(*platform);
  if (in.getHad().size() > limits.had_images_max) return fail(errc::protocol, "too many images in had");
  for (const auto one : in.getHad()) {
    auto had = read_had(one);
    if (!had) return tl::unexpected(had.error());
    request.had.push_back(std::move(*had));
  }
  for (const auto id : in.getBeside()) request.beside.push_back(id);
  if (in.hasLogin()) {
    auto login = read_login(in.getLogin(), limits);
    if (!login) return tl::unexpected(login.error());
    request.login = std::move(*login);
  }
  if (in.getToc().size() == 0) return request;
  const auto toc = read_digest(in.getToc(), "toc");
  if (!toc) return tl::unexpected(toc.error());
  request.toc = toc_id{*toc};
  return request;
}

void write_started(wire::PullStarted::Builder out, const pull_started& started) {
  out.setToc(as_data(started.toc.value));
  out.setTocSent(started.toc_sent);
  out.setDeliveredBytes(started.delivered_bytes);
  out.setSegments(started.segments);
  out.setLastKnown(started.last_known);
}

result<pull_started> read_started(wire::PullStarted::Reader in) {
  const auto toc = read_digest(in.getToc(), "toc");
  if (!toc) return tl::unexpected(toc.error());
  return pull_started{{*toc}, in.getTocSent(), in.getDeliveredBytes(), in.getSegments(), in.getLastKnown()};
}

void write_progress(wire::PullProgress::Builder out, const pull_progress& progress) {
  out.setStage(text(progress.stage));
  out.setDone(progress.done);
  out.setTotal(progress.total);
}

result<pull_progress> read_progress(wire::PullProgress::Reader in, const link_limits& limits) {
  auto stage = read_text(in.getStage(), limits.text_bytes_max, "stage");
  if (!stage) return tl::unexpected(stage.error());
  return pull_progress{std::move(*stage), in.getDone(), in.getTotal()};
}

void write_runs(capnp::List<wire::Run>::Builder out, const std::vector<block_run>& runs) {
  for (kj::uint i = 0; i < out.size(); ++i) {
    out[i].setContent(runs[i].content);
    out[i].setFirst(runs[i].first);
    out[i].setCount(runs[i].count);
  }
}

result<std::vector<block_run>> read_runs(capnp::List<wire::Run>::Reader in) {
  std::vector<block_run> runs;
  runs.reserve(in.size());
  for (const auto run : in) {
    const auto end = std::uint64_t{run.getFirst()} + run.getCount();
    if (run.getCount() == 0 || end > 0xffffffffU) return fail(errc::protocol, "a run is empty or too long");
    runs.push_back({run.getContent(), run.getFirst(), run.getCount()});
  }
  return runs;
}

void write_segment(wire::Segment::Builder out, const segment& value, message_stream& lender) {
  out.setSequence(value.sequence);
  write_runs(out.initRuns(static_cast<kj::uint>(value.runs.size())), value.runs);
  out.setBytes(value.bytes);
  out.setOutOfTurn(value.out_of_turn);
  out.adoptFrame(
      capnp::Orphanage::getForMessageContaining(out).referenceExternalData(lender.lend(value.frame)));
  if (value.patch_base) {
    out.setPatchBase(as_data(value.patch_base->id.root));
    out.setPatchSize(value.patch_base->size);
  }
  auto proofs = out.initProofs(static_cast<kj::uint>(value.proofs.size()));
  for (kj::uint i = 0; i < proofs.size(); ++i) write_proof(proofs[i], value.proofs[i]);
}

result<segment> read_segment(wire::Segment::Reader in, const message_stream& keeper) {
  segment value;
  value.sequence = in.getSequence();
  auto runs = read_runs(in.getRuns());
  if (!runs) return tl::unexpected(runs.error());
  value.runs = std::move(*runs);
  value.bytes = in.getBytes();
  value.out_of_turn = in.getOutOfTurn();
  value.frame = keeper.keep(in.getFrame());
  if (in.getPatchBase().size() > 0) {
    const auto base = read_digest(in.getPatchBase(), "patchBase");
    if (!base) return tl::unexpected(base.error());
    value.patch_base = content_info{{*base}, in.getPatchSize()};
  }
  value.proofs.reserve(in.getProofs().size());
  for (const auto one : in.getProofs()) {
    auto proof = read_proof(one);
    if (!proof) return tl::unexpected(proof.error());
    value.proofs.push_back(std::move(*proof));
  }
  return value;
}

void write_toc(wire::TocFrame::Builder out, const toc_frame& toc, message_stream& lender) {
  out.setPart(static_cast<wire::TocPart>(toc.part));
  auto origin = out.initSigned();
  origin.setStatement(as_data(toc.origin.statement));
  origin.setSignature(as_data(toc.origin.signature));
  origin.setCertificate(as_data(std::as_bytes(std::span(toc.origin.certificate_pem))));
  out.setBytes(toc.bytes);
  out.adoptFrame(
      capnp::Orphanage::getForMessageContaining(out).referenceExternalData(lender.lend(toc.frame)));
  if (toc.patch_base) out.setPatchBase(as_data(toc.patch_base->value));
  detail::write_tables(out.initTables(static_cast<kj::uint>(toc.tables.size())), toc.tables);
}

result<toc_frame> read_toc(wire::TocFrame::Reader in, const message_stream& keeper) {
  toc_frame toc;
  if (in.getPart() > wire::TocPart::CONTENTS) return fail(errc::protocol, "a TOC frame of an unknown part");
  toc.part = static_cast<toc_part>(in.getPart());
  const auto origin = in.getSigned();
  toc.origin.statement = copy(origin.getStatement());
  toc.origin.signature = copy(origin.getSignature());
  const auto certificate = origin.getCertificate().asChars();
  toc.origin.certificate_pem.assign(certificate.begin(), certificate.size());
  toc.bytes = in.getBytes();
  toc.frame = keeper.keep(in.getFrame());
  auto tables = detail::read_tables(in.getTables());
  if (!tables) return tl::unexpected(tables.error());
  toc.tables = std::move(*tables);
  if (in.getPatchBase().size() == 0) return toc;
  const auto base = read_digest(in.getPatchBase(), "patchBase");
  if (!base) return tl::unexpected(base.error());
  toc.patch_base = toc_id{*base};
  return toc;
}

wire::Landmark to_wire(landmark mark) {
  switch (mark) {
    case landmark::guessed:
      return wire::Landmark::GUESSED;
    case landmark::complete:
      return wire::Landmark::COMPLETE;
    case landmark::given_up:
      break;
  }
  return wire::Landmark::GIVEN_UP;
}

result<landmark> from_wire(wire::Landmark mark) {
  switch (mark) {
    case wire::Landmark::GUESSED:
      return landmark::guessed;
    case wire::Landmark::COMPLETE:
      return landmark::complete;
    case wire::Landmark::GIVEN_UP:
      return landmark::given_up;
  }
  return fail(errc::protocol, "an unknown landmark");
}

void write_verdict(wire::Verdict::Builder out, const verdict& answer) {
  if (!answer.failure) return;
  out.setCode(static_cast<std::uint8_t>(answer.failure->code));
  out.setDetail(text(answer.failure->detail));
}

result<verdict> read_verdict(wire::Verdict::Reader in) {
  if (in.getCode() == 0) return verdict{};
  if (in.getCode() > static_cast<std::uint8_t>(errc::failed_precondition))
    return fail(errc::protocol, "an unknown verdict");
  constexpr std::uint32_t detail_bytes_max = 4096;
  auto detail = read_text(in.getDetail(), detail_bytes_max, "verdict");
  if (!detail) return tl::unexpected(detail.error());
  return verdict{error{static_cast<errc>(in.getCode()), std::move(*detail)}};
}

}  // namespace firstlight
