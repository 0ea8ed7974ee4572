#pragma once
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <string>

#include "model/result.hpp"

/// What the files of this folder share: OpenSSL's objects with an owner, PEM, files. Not for others.
namespace firstlight::detail {

template <auto Free>
struct openssl_deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, openssl_deleter<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, openssl_deleter<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, openssl_deleter<BIO_free>>;

/// OpenSSL's own words for its last failure on this thread, with what was being done in front.
[[nodiscard]] tl::unexpected<error> fail_openssl(errc code, const std::string& doing);

/// Errors: `not_found`, `limit_exceeded` (no PEM file of ours reaches 1 MiB), `io`.
[[nodiscard]] result<std::string> read_pem(const std::filesystem::path& file);

/// Makes a new file with this mode, durable before it returns. Errors: `already_exists`, `io`.
[[nodiscard]] result<void> write_new_file(const std::filesystem::path& file, const std::string& text,
                                          int mode);

/// Errors: `corrupt`.
[[nodiscard]] result<certificate_ptr> parse_certificate(const std::string& pem);
[[nodiscard]] result<key_ptr> parse_key(const std::string& pem);

/// The common name, or nothing when there is none or it has a NUL inside.
[[nodiscard]] std::string common_name(X509* certificate);

}  // namespace firstlight::detail
