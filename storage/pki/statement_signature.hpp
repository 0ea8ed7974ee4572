#pragma once
#include <chrono>
#include <filesystem>
#include <memory>

#include "model/transfer.hpp"

/// Proof that a hub of this cluster said that a reference means a TOC.
namespace firstlight {

/// A private key with its certificate, loaded once. Immutable; any thread.
class signing_identity {
 public:
  /// Errors: `not_found`, `corrupt` (not PEM, or the key is not the certificate's), `io`.
  [[nodiscard]] static result<signing_identity> load(const std::filesystem::path& certificate,
                                                     const std::filesystem::path& key);
  /// ECDSA over SHA-256 of the bytes. Errors: `io`.
  [[nodiscard]] result<std::vector<std::byte>> sign(bytes_view bytes) const;
  [[nodiscard]] const std::string& certificate_pem() const;

  struct impl;

 private:
  std::shared_ptr<const impl> impl_;
};

/// The cluster's authority, loaded once; remembers the last hub whose certificate it found good. Copies are
/// one. Any thread.
class trust_anchor {
 public:
  /// Errors: `not_found`, `corrupt`, `io`.
  [[nodiscard]] static result<trust_anchor> load(const std::filesystem::path& ca_certificate);

  /// Checks at the time `now` that the certificate was issued by this authority to a hub, and that its key
  /// signed the bytes. Errors: `denied` (another authority, not a hub, expired), `corrupt` (wrong signature,
  /// not PEM), `limit_exceeded` (a certificate above `certificate_bytes_max`).
  [[nodiscard]] result<void> verify_statement(const std::string& certificate_pem, bytes_view bytes,
                                              bytes_view signature,
                                              std::chrono::system_clock::time_point now) const;
  /// Checks the certificate of a hub before the first statement comes: what `verify_statement` then has to do
  /// for it is a quarter. Errors: those about the certificate.
  [[nodiscard]] result<void> meet_hub(const std::string& certificate_pem,
                                      std::chrono::system_clock::time_point now) const;
  struct impl;

 private:
  std::shared_ptr<const impl> impl_;
};

/// Hub: encodes and signs. Errors: `io`.
[[nodiscard]] result<signed_toc> sign_toc(const signing_identity& hub, const toc_statement& statement);

/// Node: checks origin and returns what was said. Errors: those of `verify_statement`, `corrupt`.
[[nodiscard]] result<toc_statement> verify_toc(const trust_anchor& authority, const signed_toc& origin,
                                               std::chrono::system_clock::time_point now);

}  // namespace firstlight
