#include "storage/pki/statement_signature.hpp"

#include <openssl/x509v3.h>

#include "schemas/toc_statement_codec.hpp"
#include "storage/pki/openssl.hpp"

namespace firstlight {
namespace {

using digest_context = std::unique_ptr<EVP_MD_CTX, detail::openssl_deleter<EVP_MD_CTX_free>>;
using store_ptr = std::unique_ptr<X509_STORE, detail::openssl_deleter<X509_STORE_free>>;
using verification = std::unique_ptr<X509_STORE_CTX, detail::openssl_deleter<X509_STORE_CTX_free>>;

constexpr std::string_view hub_prefix = "hub:";

const unsigned char* raw(bytes_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

result<void> verify_signature(X509* certificate, bytes_view bytes, bytes_view signature) {
  const digest_context context(EVP_MD_CTX_new());
  if (!context ||
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, X509_get0_pubkey(certificate)) != 1)
    return detail::fail_openssl(errc::corrupt, "the certificate's key cannot verify");
  if (EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(bytes), bytes.size()) != 1)
    return detail::fail_openssl(errc::corrupt, "the hub's signature does not match");
  return {};
}

}  // namespace

struct signing_identity::impl {
  detail::key_ptr key;
  std::string certificate_pem;
};

result<signing_identity> signing_identity::load(const std::filesystem::path& certificate,
                                                const std::filesystem::path& key) {
  auto certificate_text = detail::read_pem(certificate);
  if (!certificate_text) return tl::unexpected(certificate_text.error());
  auto key_text = detail::read_pem(key);
  if (!key_text) return tl::unexpected(key_text.error());
  auto parsed = detail::parse_certificate(*certificate_text);
  if (!parsed) return fail(parsed.error(), certificate.string());
  auto parsed_key = detail::parse_key(*key_text);
  if (!parsed_key) return fail(parsed_key.error(), key.string());
  if (X509_check_private_key(parsed->get(), parsed_key->get()) != 1)
    return fail(errc::corrupt, key.string() + " is not the key of " + certificate.string());
  signing_identity identity;
  identity.impl_ = std::make_shared<const impl>(impl{std::move(*parsed_key), std::move(*certificate_text)});
  return identity;
}

result<std::vector<std::byte>> signing_identity::sign(bytes_view bytes) const {
  const digest_context context(EVP_MD_CTX_new());
  std::size_t length = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &length, raw(bytes), bytes.size()) != 1)
    return detail::fail_openssl(errc::io, "cannot sign");
  std::vector<std::byte> signature(length);
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, raw(bytes),
                     bytes.size()) != 1)
    return detail::fail_openssl(errc::io, "cannot sign");
  signature.resize(length);
  return signature;
}

const std::string& signing_identity::certificate_pem() const {
  return impl_->certificate_pem;
}

struct trust_anchor::impl {
  store_ptr store;
};

result<trust_anchor> trust_anchor::load(const std::filesystem::path& ca_certificate) {
  auto text = detail::read_pem(ca_certificate);
  if (!text) return tl::unexpected(text.error());
  auto certificate = detail::parse_certificate(*text);
  if (!certificate) return fail(certificate.error(), ca_certificate.string());
  store_ptr store(X509_STORE_new());
  if (!store || X509_STORE_add_cert(store.get(), certificate->get()) != 1)
    return detail::fail_openssl(errc::io, "cannot trust " + ca_certificate.string());
  trust_anchor anchor;
  anchor.impl_ = std::make_shared<const impl>(impl{std::move(store)});
  return anchor;
}

result<void> trust_anchor::verify_statement(const std::string& certificate_pem, bytes_view bytes,
                                            bytes_view signature,
                                            std::chrono::system_clock::time_point now) const {
  const auto certificate = detail::parse_certificate(certificate_pem);
  if (!certificate) return tl::unexpected(certificate.error());
  const verification check(X509_STORE_CTX_new());
  // The store is only read here; OpenSSL locks it inside.
  if (!check || X509_STORE_CTX_init(check.get(), impl_->store.get(), certificate->get(), nullptr) != 1)
    return detail::fail_openssl(errc::io, "cannot verify");
  X509_STORE_CTX_set_time(check.get(), 0, std::chrono::system_clock::to_time_t(now));
  // Only a hub's certificate may serve, so this purpose refuses a node's or an admin's.
  X509_STORE_CTX_set_purpose(check.get(), X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(check.get()) != 1)
    return fail(errc::denied, std::string("the hub's certificate is not valid here: ") +
                                  X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get())));
  if (!detail::common_name(certificate->get()).starts_with(hub_prefix))
    return fail(errc::denied, "the certificate is not a hub's");
  return verify_signature(certificate->get(), bytes, signature);
}

result<signed_toc> sign_toc(const signing_identity& hub, const toc_statement& statement) {
  signed_toc origin;
  origin.statement = encode_toc_statement(statement);
  auto signature = hub.sign(origin.statement);
  if (!signature) return tl::unexpected(signature.error());
  origin.signature = std::move(*signature);
  origin.certificate_pem = hub.certificate_pem();
  return origin;
}

result<toc_statement> verify_toc(const trust_anchor& authority, const signed_toc& origin,
                                 std::chrono::system_clock::time_point now) {
  if (auto verified =
          authority.verify_statement(origin.certificate_pem, origin.statement, origin.signature, now);
      !verified)
    return tl::unexpected(verified.error());
  return decode_toc_statement(origin.statement);
}

}  // namespace firstlight
