#pragma once
#include <map>
#include <string>

#include "storage/oci/http_stream.hpp"
#include "storage/oci/open_source.hpp"

namespace firstlight {

/// What authorises the requests to one repository: nothing at first, then what the registry's answer 401 asks
/// for: a bearer token from its token server, or the credentials themselves. One thread.
class registry_auth {
 public:
  /// `options` outlives it.
  registry_auth(std::string registry_host, std::string repository, const source_options& options);

  /// The Authorization header to send, with its name; "" at first.
  [[nodiscard]] const std::string& header() const { return header_; }

  /// Makes a new header for what `answer` (status 401) demands.
  /// Errors: `denied` naming what to do, and those of the token server's request and of `find_docker_login`.
  result<void> answer(const http_head& demand);

 private:
  result<void> use_basic();
  result<void> use_token(const std::string& token);
  result<void> fetch_token(const std::map<std::string, std::string>& parameters);
  [[nodiscard]] http_request token_request(const std::map<std::string, std::string>& parameters,
                                           const shared_login& login) const;
  [[nodiscard]] result<shared_login> find_login() const;

  std::string host_;
  std::string repository_;
  std::string scope_;
  const source_options& options_;
  std::string header_;
};

/// Whether a URL may be spoken to: https, or http on loopback and on hosts that the options name.
/// Errors: `denied`.
[[nodiscard]] result<void> check_transport(const std::string& url, const source_options& options);

/// Whether "host[:port]" is spoken to without TLS.
[[nodiscard]] bool is_plain_http(const std::string& host, const source_options& options);

}  // namespace firstlight
