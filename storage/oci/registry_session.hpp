#pragma once
#include <optional>
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

/// Requests to one repository of one registry: with authorisation (renewed when the registry itself answers
/// 401), redirects (without giving the authorisation to another origin, or a login to who that demands it of)
/// and retries with backoff, after the pause that the server asks for. One thread.
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

  /// Decides on a failure: waits before the next attempt, or gives the failure back when it is final, as it
  /// is when the server asks for a longer pause than `backoff_max`.
  result<void> pause_or_fail(const error& failure);
  /// Something worked: the next failure is a first one again.
  void progressed() { retry_.succeeded(); }

 private:
  /// Where redirects led.
  struct arrival {
    std::unique_ptr<http_stream> answer;
    std::string origin;
    bool at_home = true;  ///< of the registry all the way
  };
  result<std::unique_ptr<http_stream>> attempt(const wish& wanted);
  result<arrival> follow(const wish& wanted);
  [[nodiscard]] error refusal(const wish& wanted, const arrival& arrived) const;

  std::string host_;
  std::string base_;
  const source_options& options_;
  registry_auth auth_;
  retry retry_;
  std::optional<std::chrono::seconds> pause_asked_;  ///< by the last answer
};

}  // namespace firstlight
