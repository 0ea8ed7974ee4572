#include "actors/net/rpc/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <fstream>
#include <sstream>

#include "actors/net/rpc/errors.hpp"

namespace firstlight {
namespace {

result<std::string> slurp(const std::filesystem::path& file) {
  std::error_code failed;
  if (!std::filesystem::exists(file, failed))
    return fail(errc::not_found,
                file.string() + " is missing; copy this machine's there: 'firstlight pki issue' made it");
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return fail(errc::io, "cannot read " + file.string());
  return text.str();
}

// The library knows no name for TLS 1.3; anything above 1.2 turns 1.2 off.
constexpr auto tls_1_3 = static_cast<kj::TlsVersion>(static_cast<int>(kj::TlsVersion::TLS_1_2) + 1);

void give_no_tickets(void* ssl, void*, CRYPTO_EX_DATA*, int, long, void*) {
  SSL_set_num_tickets(static_cast<SSL*>(ssl), 0);
}

// Nobody resumes a session here, and the two tickets of a handshake, each with the node's certificate, would
// take two of the ten packets of a new connection's first window from the table of contents. The library does
// not show its SSL objects, so each is reached as it is made.
void send_no_tickets() {
  static const int registered = SSL_get_ex_new_index(0, nullptr, give_no_tickets, nullptr, nullptr);
  (void)registered;
}

kj::Own<kj::TlsContext> make_context(const std::string& ca, const std::string& certificate,
                                     const std::string& key) {
  kj::TlsKeypair pair{kj::TlsPrivateKey(kj::StringPtr(key.c_str(), key.size())),
                      kj::TlsCertificate(kj::StringPtr(certificate.c_str(), certificate.size()))};
  const kj::TlsCertificate authority(kj::StringPtr(ca.c_str(), ca.size()));
  kj::TlsContext::Options options;
  options.useSystemTrustStore = false;
  options.verifyClients = true;
  options.trustedCertificates = kj::arrayPtr(&authority, 1);
  options.defaultKeypair = pair;
  options.minVersion = tls_1_3;
  send_no_tickets();
  return kj::heap<kj::TlsContext>(kj::mv(options));
}

}  // namespace

result<std::shared_ptr<tls_identity>> tls_identity::load(const tls_files& files) {
  auto ca = slurp(files.ca);
  if (!ca) return tl::unexpected(ca.error());
  auto certificate = slurp(files.certificate);
  if (!certificate) return tl::unexpected(certificate.error());
  auto key = slurp(files.key);
  if (!key) return tl::unexpected(key.error());
  auto identity = std::make_shared<tls_identity>();
  KJ_IF_MAYBE (thrown, kj::runCatchingExceptions(
                           [&] { identity->context_ = make_context(*ca, *certificate, *key); })) {
    ERR_clear_error();
    return fail(errc::corrupt, "the TLS files " + files.certificate.string() + ", " + files.key.string() +
                                   " and " + files.ca.string() +
                                   " cannot be used: " + from_kj(*thrown).detail);
  }
  return identity;
}

certificate_name peer_name(kj::AuthenticatedStream& stream) {
  auto* identity = dynamic_cast<kj::TlsPeerIdentity*>(stream.peerIdentity.get());
  if (identity == nullptr || !identity->hasCertificate()) return {};
  const auto text = identity->getCommonName();
  const std::string_view whole(text.cStr(), text.size());
  const auto colon = whole.find(':');
  if (colon == std::string_view::npos || whole.find('\0') != std::string_view::npos) return {};
  return {std::string(whole.substr(0, colon)), std::string(whole.substr(colon + 1))};
}

}  // namespace firstlight
