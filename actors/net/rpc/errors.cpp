#include "actors/net/rpc/errors.hpp"

#include <algorithm>
#include <optional>

namespace firstlight {
namespace {

constexpr std::uint8_t errc_last = static_cast<std::uint8_t>(errc::failed_precondition);
constexpr std::string_view remote_prefix = "remote exception: ";
constexpr std::size_t detail_bytes_max = 4096;

std::optional<error> parse_error(std::string_view text) {
  const auto colon = text.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  for (std::uint8_t code = 1; code <= errc_last; ++code)
    if (to_string(static_cast<errc>(code)) == text.substr(0, colon))
      return error{static_cast<errc>(code), std::string(text.substr(colon + 2, detail_bytes_max))};
  return std::nullopt;
}

// The text is shown in one line of status.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, detail_bytes_max));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return line;
}

// Whether TLS failed for what one side thinks of the other's certificate; retrying does not help.
bool about_certificates(std::string_view text) {
  return text.find("SSL routines") != std::string_view::npos &&
         (text.find("certificate") != std::string_view::npos ||
          text.find("unknown ca") != std::string_view::npos);
}

}  // namespace

kj::Exception to_kj(const error& failure) {
  const auto text = to_string(failure);
  return {kj::Exception::Type::FAILED, __FILE__, __LINE__, kj::heapString(text.data(), text.size())};
}

error from_kj(const kj::Exception& thrown) {
  const auto described = thrown.getDescription();
  std::string_view text(described.cStr(), described.size());
  if (text.starts_with(remote_prefix)) text.remove_prefix(remote_prefix.size());
  if (auto sent = parse_error(text)) return {sent->code, one_line(sent->detail)};
  if (about_certificates(text))
    return {errc::denied, "TLS: " + one_line(text.substr(text.rfind(':') + 1)) +
                              "; both certificates must be valid and issued by the same authority"};
  switch (thrown.getType()) {
    case kj::Exception::Type::DISCONNECTED:
      return {errc::unavailable, one_line(text)};
    case kj::Exception::Type::OVERLOADED:
      return {errc::busy, one_line(text)};
    case kj::Exception::Type::UNIMPLEMENTED:
      return {errc::protocol, one_line(text)};
    case kj::Exception::Type::FAILED:
      break;
  }
  return {errc::io, one_line(text)};
}

}  // namespace firstlight
