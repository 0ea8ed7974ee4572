#pragma once
#include <memory>
#include <string>

#include "model/secret_text.hpp"

namespace firstlight {

/// How to log in to one registry: by user and password, or by one of the tokens.
struct registry_login {
  std::string user;
  secret_text password;
  secret_text identity_token;  ///< for the registry's token server, instead of user and password
  secret_text registry_token;  ///< for the registry itself, as it is
  friend bool operator==(const registry_login&, const registry_login&) = default;
};

/// Shared, so that its secrets lie in one place. None: nobody is logged in.
using shared_login = std::shared_ptr<const registry_login>;

/// Whether it says nothing at all.
[[nodiscard]] inline bool is_empty(const registry_login& login) {
  return login == registry_login{};
}

}  // namespace firstlight
