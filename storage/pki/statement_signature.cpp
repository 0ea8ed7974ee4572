#include "storage/pki/statement_signature.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <mutex>

#include "config/pki_options.hpp"
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

namespace {

struct chain_deleter {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};

/// A hub's certificate that this authority has issued, and what leads to it.
struct known_hub {
  std::string pem;
  detail::certificate_ptr certificate;
  std::unique_ptr<STACK_OF(X509), chain_deleter> chain;

  /// Whether nothing of the chain is expired or not valid yet.
  [[nodiscard]] bool valid_at(std::chrono::system_clock::time_point now) const {
    auto time = std::chrono::system_clock::to_time_t(now);
    for (int i = 0; i < sk_X509_num(chain.get()); ++i) {
      const auto* one = sk_X509_value(chain.get(), i);
      if (X509_cmp_time(X509_get0_notBefore(one), &time) >= 0 ||
          X509_cmp_time(X509_get0_notAfter(one), &time) <= 0)
        return false;
    }
    return true;
  }
};

/// Puts OpenSSL's errors of this thread back to what they were: TLS on the same thread would take what is
/// left for its own.
struct error_mark {
  error_mark() { ERR_set_mark(); }
  ~error_mark() { ERR_pop_to_mark(); }
  error_mark(const error_mark&) = delete;
  error_mark& operator=(const error_mark&) = delete;
};

result<std::shared_ptr<const known_hub>> check_hub(X509_STORE* store, const std::string& pem,
                                                   std::chrono::system_clock::time_point now) {
  if (pem.size() > certificate_bytes_max)
    return fail(errc::limit_exceeded, "a hub's certificate of " + std::to_string(pem.size()) + " bytes");
  const error_mark mark;
  auto certificate = detail::parse_certificate(pem);
  if (!certificate) return tl::unexpected(certificate.error());
  const verification check(X509_STORE_CTX_new());
  // The store is only read here; OpenSSL locks it inside.
  if (!check || X509_STORE_CTX_init(check.get(), store, certificate->get(), nullptr) != 1)
    return detail::fail_openssl(errc::io, "cannot verify");
  X509_STORE_CTX_set_time(check.get(), 0, std::chrono::system_clock::to_time_t(now));
  // Only a hub's certificate may serve, so this purpose refuses a node's or an admin's.
  X509_STORE_CTX_set_purpose(check.get(), X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(check.get()) != 1)
    return fail(errc::denied, std::string("the hub's certificate is not valid here: ") +
                                  X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get())));
  if (!detail::common_name(certificate->get()).starts_with(hub_prefix))
    return fail(errc::denied, "the certificate is not a hub's");
  auto known = std::make_shared<known_hub>();
  known->pem = pem;
  known->chain.reset(X509_STORE_CTX_get1_chain(check.get()));
  known->certificate = std::move(*certificate);
  if (!known->chain) return detail::fail_openssl(errc::io, "cannot verify");
  return known;
}

}  // namespace

struct trust_anchor::impl {
  store_ptr store;
  mutable std::mutex mutex;
  mutable std::shared_ptr<const known_hub> last;  // guarded; a node has one hub, or one at a time

  result<std::shared_ptr<const known_hub>> hub_of(const std::string& pem,
                                                  std::chrono::system_clock::time_point now) const {
    {
      const std::lock_guard lock(mutex);
      if (last && last->pem == pem && last->valid_at(now)) return last;
    }
    auto checked = check_hub(store.get(), pem, now);
    if (!checked) return checked;
    const std::lock_guard lock(mutex);
    return last = std::move(*checked);
  }
};

result<trust_anchor> trust_anchor::load(const std::filesystem::path& ca_certificate) {
  auto text = detail::read_pem(ca_certificate);
  if (!text) return tl::unexpected(text.error());
  auto certificate = detail::parse_certificate(*text);
  if (!certificate) return fail(certificate.error(), ca_certificate.string());
  auto state = std::make_shared<impl>();
  state->store.reset(X509_STORE_new());
  if (!state->store || X509_STORE_add_cert(state->store.get(), certificate->get()) != 1)
    return detail::fail_openssl(errc::io, "cannot trust " + ca_certificate.string());
  trust_anchor anchor;
  anchor.impl_ = std::move(state);
  return anchor;
}

result<void> trust_anchor::meet_hub(const std::string& certificate_pem,
                                    std::chrono::system_clock::time_point now) const {
  const auto hub = impl_->hub_of(certificate_pem, now);
  return hub ? result<void>{} : tl::unexpected(hub.error());
}

result<void> trust_anchor::verify_statement(const std::string& certificate_pem, bytes_view bytes,
                                            bytes_view signature,
                                            std::chrono::system_clock::time_point now) const {
  const auto hub = impl_->hub_of(certificate_pem, now);
  if (!hub) return tl::unexpected(hub.error());
  return verify_signature((*hub)->certificate.get(), bytes, signature);
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
