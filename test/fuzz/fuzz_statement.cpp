// What a hub signs of an image, the signature, and the certificate that it names as its own: all reach a node
// before it knows whether to believe them.
#include <cstdlib>
#include <fstream>
#include <span>

#include "config/pki_options.hpp"
#include "model/base64.hpp"
#include "schemas/toc_statement_codec.hpp"
#include "storage/pki/statement_signature.hpp"
#include "test/fuzz/fuzz_entry.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

// An authority and the one hub that it has certified, from 2026-11-30 until ten years later. Fixed, so that
// an input means the same in each run; their keys are gone.
const std::string authority_pem = R"(-----BEGIN CERTIFICATE-----
MIIBljCCAT2gAwIBAgIUNOTCTAnqJynn71JREdq34HRyWRQwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwHhcNMjYxMTMwMDYyMTIxWhcNMzYx
MTI3MDYyMTIxWjAZMRcwFQYDVQQDDA50ZXN0IGF1dGhvcml0eTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABNVAwXnXF/WVFhv/D2EFkSq0bBMH3/Fj2wnFnVW0kqZ7
QmpULZsmY8TwOCFjn9in27OGNob5hEnlMMkZgc2++zejYzBhMB0GA1UdDgQWBBSo
OkO/8wsw4jq5sP1NxqEZQTuZQDAfBgNVHSMEGDAWgBSoOkO/8wsw4jq5sP1NxqEZ
QTuZQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQD
AgNHADBEAiBswmWNWxESLoOhhohpgs3qzIMEh7WANbloQOS9b2dUaAIgP21W1zoD
rJSWUZQOo5HtAj/0R8O/Q0kq9H4e/VmeDZM=
-----END CERTIFICATE-----
)";
const std::string hub_pem = R"(-----BEGIN CERTIFICATE-----
MIIBizCCATCgAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA50ZXN0IGF1
dGhvcml0eTAeFw0yNjExMzAwNjIxMjFaFw0zNjExMjcwNjIxMjFaMBMxETAPBgNV
BAMMCGh1YjptYWluMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAER8Xm5RXWJD/5
eedh76DkUGa3KzxtaWDu7eKUWyexq18QqYEp9kD0ieCNpaXqgr1VUtAlOb1UQpmj
5PuPQl5fDqNvMG0wCQYDVR0TBAIwADATBgNVHSUEDDAKBggrBgEFBQcDATALBgNV
HQ8EBAMCB4AwHQYDVR0OBBYEFLKkE3m0O3wa3e5Ao2YV8fzzELzoMB8GA1UdIwQY
MBaAFKg6Q7/zCzDiOrmw/U3GoRlBO5lAMAoGCCqGSM49BAMCA0kAMEYCIQCnFWNf
FYleRsl3ecNywlWPq+GjV0vpDTQw2jcmx09bhAIhAK3tvEIP5M/eA4+/CUM76pG0
Isu6JiwuOo6Nf34/OvAb
-----END CERTIFICATE-----
)";

/// What that hub has signed, and its signature.
constexpr std::string_view signed_text = "a statement";
constexpr std::string_view signature_base64 =
    "MEYCIQDnOG0tBBa+ETBS5SD3iOsummsW9Q1idU9gPf8jHfur"
    "/QIhAM3JDA1IpRNmLYVGb5YPc5HD/QKfGYE2dbTlISktHegx";
constexpr std::size_t signature_bytes_max = 72;  // of ECDSA P-256

constexpr std::chrono::system_clock::time_point while_valid{std::chrono::seconds(1'800'000'000)};
constexpr std::chrono::system_clock::time_point when_expired{std::chrono::seconds(2'200'000'000)};

const trust_anchor& authority() {
  static const trust_anchor loaded = [] {
    const temporary_folder folder;
    std::ofstream(folder.path() / "ca.crt") << authority_pem;
    return trust_anchor::load(folder.path() / "ca.crt").value();
  }();
  return loaded;
}

bytes_view bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// What decodes encodes to something that decodes to the same.
void check_statement(std::string_view input) {
  const auto said = decode_toc_statement(bytes_of(input));
  if (said && decode_toc_statement(encode_toc_statement(*said)) != *said) std::abort();
}

/// The hub's signature opens nothing but what it has signed.
void check_signed(std::string_view input, const std::string& signature) {
  const auto good =
      authority().verify_statement(hub_pem, bytes_of(input), bytes_of(signature), while_valid).has_value();
  if (good != (input == signed_text)) std::abort();
}

void check_signature(std::string_view input) {
  if (authority().verify_statement(hub_pem, bytes_of(signed_text), bytes_of(input), while_valid) &&
      input.size() > signature_bytes_max)
    std::abort();
}

/// A certificate that is taken is the hub's: its key has signed, and it is taken while it is valid only.
void check_certificate(std::string_view input, const std::string& signature) {
  const std::string pem(input);
  if (!authority().meet_hub(pem, while_valid)) return;
  if (pem.size() > certificate_bytes_max || authority().meet_hub(pem, when_expired)) std::abort();
  if (!authority().verify_statement(pem, bytes_of(signed_text), bytes_of(signature), while_valid))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string signature = base64_decode(signature_base64).value();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_statement(input);
  check_signed(input, signature);
  check_signature(input);
  check_certificate(input, signature);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const auto statement = encode_toc_statement({{}, {}, "registry.example/app:1", 1'800'000'000});
  return {{reinterpret_cast<const char*>(statement.data()), statement.size()},
          std::string(signed_text),
          base64_decode(signature_base64).value(),
          hub_pem,
          authority_pem};
}
