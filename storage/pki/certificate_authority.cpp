#include "storage/pki/certificate_authority.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "storage/pki/openssl.hpp"

namespace firstlight {
namespace {

using detail::bio_ptr;
using detail::certificate_ptr;
using detail::fail_openssl;
using detail::key_ptr;

constexpr std::size_t name_bytes_max = 52;  // with the role below the 64 that X.509 allows
constexpr const char* ca_name = "Firstlight CA";

/// What one certificate says; `issuer` is empty for the authority itself.
struct certificate_request {
  std::string common_name;
  std::chrono::seconds validity{};
  std::chrono::seconds clock_skew{};
  std::vector<std::pair<int, std::string>> extensions;  // NID and value as OpenSSL's configuration writes it
  X509* issuer = nullptr;
  EVP_PKEY* issuer_key = nullptr;
};

std::string pem_text(const bio_ptr& bio) {
  char* start = nullptr;
  const auto bytes = BIO_get_mem_data(bio.get(), &start);
  return {start, static_cast<std::size_t>(bytes)};
}

result<std::string> certificate_pem(X509* certificate) {
  bio_ptr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1)
    return fail_openssl(errc::io, "cannot write a certificate");
  return pem_text(bio);
}

result<std::string> key_pem(EVP_PKEY* key) {
  bio_ptr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail_openssl(errc::io, "cannot write a key");
  return pem_text(bio);
}

bool set_serial(X509* certificate) {
  unsigned char random[16];
  if (RAND_bytes(random, sizeof random) != 1) return false;
  random[0] &= 0x7fU;  // positive
  std::unique_ptr<BIGNUM, detail::openssl_deleter<BN_free>> number(BN_bin2bn(random, sizeof random, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509* certificate, const certificate_request& request) {
  auto* subject = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(request.common_name.c_str());
  if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) != 1) return false;
  auto* issuer = request.issuer != nullptr ? X509_get_subject_name(request.issuer) : subject;
  return X509_set_issuer_name(certificate, issuer) == 1;
}

bool add_extensions(X509* certificate, const certificate_request& request) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, request.issuer != nullptr ? request.issuer : certificate, certificate, nullptr,
                 nullptr, 0);
  return std::all_of(request.extensions.begin(), request.extensions.end(), [&](const auto& one) {
    std::unique_ptr<X509_EXTENSION, detail::openssl_deleter<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, &context, one.first, one.second.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
  });
}

result<certificate_ptr> make_certificate(EVP_PKEY* key, const certificate_request& request) {
  certificate_ptr certificate(X509_new());
  const auto validity = static_cast<long>(request.validity.count());
  const bool made = certificate && X509_set_version(certificate.get(), 2) == 1 &&
                    set_serial(certificate.get()) &&
                    X509_gmtime_adj(X509_getm_notBefore(certificate.get()),
                                    -static_cast<long>(request.clock_skew.count())) &&
                    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validity) &&
                    X509_set_pubkey(certificate.get(), key) == 1 && set_name(certificate.get(), request) &&
                    add_extensions(certificate.get(), request) &&
                    X509_sign(certificate.get(), request.issuer_key != nullptr ? request.issuer_key : key,
                              EVP_sha256()) > 0;
  if (!made) return fail_openssl(errc::io, "cannot make the certificate of " + request.common_name);
  return certificate;
}

result<void> save(const issued_certificate& files, X509* certificate, EVP_PKEY* key) {
  const auto certificate_text = certificate_pem(certificate);
  if (!certificate_text) return tl::unexpected(certificate_text.error());
  const auto key_text = key_pem(key);
  if (!key_text) return tl::unexpected(key_text.error());
  for (const auto& file : {files.key, files.certificate})
    if (std::filesystem::exists(file)) return fail(errc::already_exists, file.string() + " is there already");
  if (auto written = detail::write_new_file(files.key, *key_text, 0600); !written) return written;
  return detail::write_new_file(files.certificate, *certificate_text, 0644);
}

bool valid_name(const std::string& name) {
  return !name.empty() && name.size() <= name_bytes_max && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
         });
}

// A host goes into OpenSSL's comma separated configuration syntax, so only harmless characters may.
result<std::string> alternative_names(const std::string& server_name, const std::vector<std::string>& hosts) {
  std::string names = "DNS:" + server_name;
  for (const auto& host : hosts) {
    const bool harmless =
        !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
          return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == ':';
        });
    if (!harmless) return fail(errc::invalid_argument, "not a host name or address: " + host);
    if (host == hub_server_name || host == node_server_name)
      return fail(errc::invalid_argument, host + " is the name of every hub or node, and no host's");
    const bool address =
        host.find(':') != std::string::npos ||
        std::all_of(host.begin(), host.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
    names += (address ? ",IP:" : ",DNS:") + host;
  }
  return names;
}

result<certificate_request> request_for(pki_role role, const std::string& name,
                                        const std::vector<std::string>& hosts, const pki_options& options) {
  const bool serves = role == pki_role::hub || role == pki_role::node;
  certificate_request request;
  request.common_name = std::string(to_string(role)) + ":" + name;
  request.validity = options.certificate_validity;
  request.clock_skew = options.clock_skew;
  request.extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                        {NID_key_usage, "critical,digitalSignature"},
                        {NID_ext_key_usage, serves ? "serverAuth,clientAuth" : "clientAuth"},
                        {NID_subject_key_identifier, "hash"},
                        {NID_authority_key_identifier, "keyid:always"}};
  if (!serves && !hosts.empty())
    return fail(errc::invalid_argument, "only a hub's or node's certificate names hosts");
  if (!serves) return request;
  auto names = alternative_names(role == pki_role::hub ? hub_server_name : node_server_name, hosts);
  if (!names) return tl::unexpected(names.error());
  request.extensions.emplace_back(NID_subject_alt_name, *names);
  return request;
}

struct authority {
  certificate_ptr certificate;
  key_ptr key;
};

result<authority> load_authority(const std::filesystem::path& folder) {
  auto certificate_text = detail::read_pem(folder / "ca.crt");
  if (!certificate_text) return tl::unexpected(certificate_text.error());
  auto key_text = detail::read_pem(folder / "ca.key");
  if (!key_text) return tl::unexpected(key_text.error());
  auto certificate = detail::parse_certificate(*certificate_text);
  if (!certificate) return fail(certificate.error(), (folder / "ca.crt").string());
  auto key = detail::parse_key(*key_text);
  if (!key) return fail(key.error(), (folder / "ca.key").string());
  return authority{std::move(*certificate), std::move(*key)};
}

}  // namespace

std::string_view to_string(pki_role role) {
  switch (role) {
    case pki_role::hub:
      return "hub";
    case pki_role::node:
      return "node";
    case pki_role::admin:
      return "admin";
    case pki_role::monitor:
      return "monitor";
  }
  return "unknown";
}

result<pki_role> parse_pki_role(std::string_view text) {
  for (auto role : {pki_role::hub, pki_role::node, pki_role::admin, pki_role::monitor})
    if (to_string(role) == text) return role;
  return fail(errc::invalid_argument, "a role is hub, node, admin or monitor, not " + std::string(text));
}

result<void> init_ca(const std::filesystem::path& folder, const pki_options& options) {
  std::error_code failed;
  if (std::filesystem::create_directories(folder, failed))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  if (failed) return fail(errc::io, folder.string() + ": " + failed.message());
  const key_ptr key(EVP_EC_gen("P-256"));
  if (!key) return fail_openssl(errc::io, "cannot make a key");
  certificate_request request;
  request.common_name = ca_name;
  request.validity = options.ca_validity;
  request.clock_skew = options.clock_skew;
  request.extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                        {NID_key_usage, "critical,keyCertSign,cRLSign"},
                        {NID_subject_key_identifier, "hash"}};
  const auto certificate = make_certificate(key.get(), request);
  if (!certificate) return tl::unexpected(certificate.error());
  return save({folder / "ca.crt", folder / "ca.key"}, certificate->get(), key.get());
}

result<issued_certificate> issue_certificate(const std::filesystem::path& folder, pki_role role,
                                             const std::string& name, const std::vector<std::string>& hosts,
                                             const pki_options& options) {
  if (!valid_name(name))
    return fail(errc::invalid_argument,
                "a name is 1 to 52 letters, digits, '.', '_' or '-', not '" + name + "'");
  auto request = request_for(role, name, hosts, options);
  if (!request) return tl::unexpected(request.error());
  const auto ca = load_authority(folder);
  if (!ca) return tl::unexpected(ca.error());
  request->issuer = ca->certificate.get();
  request->issuer_key = ca->key.get();
  const key_ptr key(EVP_EC_gen("P-256"));
  if (!key) return fail_openssl(errc::io, "cannot make a key");
  const auto certificate = make_certificate(key.get(), *request);
  if (!certificate) return tl::unexpected(certificate.error());
  const auto stem = std::string(to_string(role)) + "-" + name;
  issued_certificate files{folder / (stem + ".crt"), folder / (stem + ".key")};
  if (auto saved = save(files, certificate->get(), key.get()); !saved) return tl::unexpected(saved.error());
  return files;
}

}  // namespace firstlight
