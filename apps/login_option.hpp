#pragma once
#include <string>

#include "apps/command.hpp"
#include "model/registry_login.hpp"

namespace firstlight {

/// --authfile: where the invoking user's logins to registries are.
void add_login_option(CLI::App& command, std::string& authfile);

/// The invoking user's login to the registry of an image, as Docker's config says (docker_logins.hpp); empty
/// if there is none. A config that cannot be read is said on standard error: without a login public images
/// can be pulled all the same. Errors: those of an `authfile` that the user has named.
[[nodiscard]] result<registry_login> own_login(const std::string& authfile, const std::string& reference);

}  // namespace firstlight
