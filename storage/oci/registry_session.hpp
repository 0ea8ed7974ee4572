#pragma once
#include <string>
#include <vector>

#include "model/retry.hpp"
#include "storage/oci/http_stream.hpp"
#include "storage/oci/registry_auth.hpp"

namespace firstlight {

/// The header that says which kinds of manifest are understood.
inline constexpr const char* accept_manifests =
    "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

/// Requests to one repository of one registry: with authorisation (renewed on 401), redirects (without giving
/// the authorisation to another origin) and retries with backoff. One thread.
class registry_session {
 public:
  /// `options` outlives it.
  registry_session(std::string host, std::string repository, const source_options& options);

  struct wish {
    std::string path;  ///< below the repository: "manifests/latest"
    std::string method = "GET";
    std::vector<std::string> headers;
    bool small = false;  ///< see `http_request`
  };

  /// Answers of status 200 or 206. Blocks while it retries. Errors: `not_found` (404), `denied` (401, 403),
  /// `unavailable` (429, 5xx and connections that fail, after `attempts_max`), `timed_out`, `protocol`.
  result<std::unique_ptr<http_stream>> open(const wish& wanted);

  /// Decides on a failure: waits before the next attempt, or gives the failure back when it is final.
  result<void> pause_or_fail(const error& failure);
  /// Something worked: the next failure is a first one again.
  void progressed() { retry_.succeeded(); }

 private:
  result<std::unique_ptr<http_stream>> attempt(const wish& wanted);
  result<std::unique_ptr<http_stream>> follow(const wish& wanted, bool authorised);
  [[nodiscard]] error refusal(const wish& wanted, const http_head& head) const;

  std::string host_;
  std::string base_;
  const source_options& options_;
  registry_auth auth_;
  retry retry_;
};

}  // namespace firstlight
