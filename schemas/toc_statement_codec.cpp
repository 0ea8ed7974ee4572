#include "schemas/toc_statement_codec.hpp"

#include "schemas/capnp_message.hpp"
#include "schemas/protocol.capnp.h"

namespace firstlight {

std::vector<std::byte> encode_toc_statement(const toc_statement& statement) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<wire::TocStatement>();
  out.setToc(detail::as_data(statement.toc.value));
  out.setManifestDigest(detail::as_data(statement.manifest_digest));
  out.setReference({statement.reference.data(), statement.reference.size()});
  out.setSignedAt(statement.signed_at);
  return detail::flat_bytes(message);
}

result<toc_statement> decode_toc_statement(bytes_view bytes) {
  return detail::decode_message<wire::TocStatement>(
      bytes, [](wire::TocStatement::Reader in) -> result<toc_statement> {
        const auto toc = digest_from_bytes(detail::as_bytes(in.getToc()));
        if (!toc) return tl::unexpected(toc.error());
        const auto manifest = digest_from_bytes(detail::as_bytes(in.getManifestDigest()));
        if (!manifest) return tl::unexpected(manifest.error());
        const auto reference = in.getReference();
        return toc_statement{{*toc}, *manifest, {reference.begin(), reference.size()}, in.getSignedAt()};
      });
}

}  // namespace firstlight
