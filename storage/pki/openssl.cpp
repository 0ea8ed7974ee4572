#include "storage/pki/openssl.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace firstlight::detail {
namespace {

constexpr std::uintmax_t pem_bytes_max = 1U << 20U;

bio_ptr reading(const std::string& text) {
  return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

tl::unexpected<error> fail_errno(const std::string& doing) {
  const int reason = errno;
  return fail(reason == EEXIST ? errc::already_exists : errc::io, doing + ": " + std::strerror(reason));
}

bool write_all(int descriptor, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const auto n = ::write(descriptor, text.data() + written, text.size() - written);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) written += static_cast<std::size_t>(n);
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

tl::unexpected<error> fail_openssl(errc code, const std::string& doing) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return fail(code, doing + ": " + text.data());
}

result<std::string> read_pem(const std::filesystem::path& file) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file, failed);
  if (failed == std::errc::no_such_file_or_directory)
    return fail(errc::not_found, file.string() + " is missing");
  if (failed) return fail(errc::io, file.string() + ": " + failed.message());
  if (size > pem_bytes_max) return fail(errc::limit_exceeded, file.string() + " is too large for a PEM file");
  std::ifstream in(file, std::ios::binary);
  std::string text(size, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(size)))
    return fail(errc::io, "cannot read " + file.string());
  return text;
}

result<void> write_new_file(const std::filesystem::path& file, const std::string& text, int mode) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return fail_errno(file.string());
  const bool written = write_all(descriptor, text);
  auto outcome = written ? result<void>{} : result<void>(fail_errno("cannot write " + file.string()));
  ::close(descriptor);
  if (!written) ::unlink(file.c_str());
  return outcome;
}

result<certificate_ptr> parse_certificate(const std::string& pem) {
  auto bio = reading(pem);
  certificate_ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) return fail_openssl(errc::corrupt, "not a PEM certificate");
  return certificate;
}

result<key_ptr> parse_key(const std::string& pem) {
  auto bio = reading(pem);
  // The empty password keeps OpenSSL from asking for one on the terminal.
  char none[] = "";
  key_ptr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, none));
  if (!key) return fail_openssl(errc::corrupt, "not an unencrypted PEM key");
  return key;
}

std::string common_name(X509* certificate) {
  auto* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  const auto* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                   static_cast<std::size_t>(ASN1_STRING_length(value)));
  return name.find('\0') == std::string::npos ? name : std::string();
}

}  // namespace firstlight::detail
