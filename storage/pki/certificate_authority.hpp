#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "config/pki_options.hpp"
#include "model/result.hpp"

/// The certificates of one cluster. The common name carries the role: "hub:NAME", "node:NAME",
/// "admin:NAME", "monitor:NAME". All functions may be called from any thread; they read and write files.
namespace firstlight {

enum class pki_role : std::uint8_t {
  hub,
  node,
  admin,
  monitor  ///< may read metrics and health, nothing else
};

/// "hub", "node", "admin", "monitor".
std::string_view to_string(pki_role role);
/// Errors: `invalid_argument`.
[[nodiscard]] result<pki_role> parse_pki_role(std::string_view text);

/// The server name that every node expects in a hub's certificate, whatever address it dials.
inline constexpr const char* hub_server_name = "firstlight-hub";
/// The server name in every node's certificate, for who reads its metrics or administers it. No node can pass
/// for a hub by it.
inline constexpr const char* node_server_name = "firstlight-node";

/// Files that `issue` has written.
struct issued_certificate {
  std::filesystem::path certificate;  ///< FOLDER/ROLE-NAME.crt
  std::filesystem::path key;          ///< FOLDER/ROLE-NAME.key, mode 0600
};

/// Makes FOLDER (mode 0700) with ca.crt and ca.key, an ECDSA P-256 authority.
/// Errors: `already_exists` when either file is there (nothing is overwritten), `io`.
[[nodiscard]] result<void> init_ca(const std::filesystem::path& folder, const pki_options& options = {});

/// Issues a certificate with a new key. `name` is 1 to 52 of [A-Za-z0-9._-]. `hosts` are further DNS names or
/// addresses of a hub or node; their certificates serve as server and client, the others' as client only.
/// Errors: `not_found` without a CA in `folder`, `already_exists`, `invalid_argument`, `io`.
[[nodiscard]] result<issued_certificate> issue_certificate(const std::filesystem::path& folder, pki_role role,
                                                           const std::string& name,
                                                           const std::vector<std::string>& hosts = {},
                                                           const pki_options& options = {});

}  // namespace firstlight
