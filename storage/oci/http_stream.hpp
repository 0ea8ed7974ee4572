#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/ingest_limits.hpp"
#include "storage/byte_source.hpp"

namespace firstlight {

struct http_request {
  std::string url;  ///< http or https, absolute
  std::string method = "GET";
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;                  ///< POST only
  bool small = false;                ///< all of it within `request_timeout`, however steadily it drips
};

struct http_head {
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string redirect_url;                                  ///< absolute; empty if the answer is no redirect

  /// The first header of that (lower-case) name, or "".
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// One HTTP exchange, without redirects and authentication; the body is pulled. The transfer only moves
/// inside calls, so nothing is buffered beyond `buffered_bytes_max`. System CAs and proxies from the
/// environment are used; loopback goes without a proxy. One thread.
class http_stream : public byte_source {
 public:
  /// Sends the request and waits for the answer's headers. `limits` outlives the stream.
  /// Errors: `unavailable`, `timed_out`, `denied` for a certificate that is not trusted, `limit_exceeded`.
  static result<std::unique_ptr<http_stream>> open(const http_request& request,
                                                   const registry_limits& limits);

  [[nodiscard]] virtual const http_head& head() const = 0;
};

/// Whether the host of "host[:port]" is this machine: localhost, 127.0.0.0/8, ::1.
[[nodiscard]] bool is_loopback(std::string_view host);

/// "scheme://host:port" of a URL, in lower case, with the scheme's default port filled in; "" if malformed.
[[nodiscard]] std::string origin_of(const std::string& url);

/// Percent-encodes all but letters, digits and "-._~".
[[nodiscard]] std::string url_encode(std::string_view text);

}  // namespace firstlight
