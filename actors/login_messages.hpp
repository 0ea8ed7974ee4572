#pragma once
#include <caf/all.hpp>
#include <string>

#include "model/registry_login.hpp"

/// The messages of the login keeper; local like those of messages.hpp.
namespace firstlight {

struct find_login {
  std::string reference;  ///< of the image
};
struct found_login {
  shared_login login;  ///< none: there is none
};

/// This login came with a request for this image: it counts for a while, for all images of its repository.
struct remember_login {
  std::string reference;
  shared_login login;  ///< none: the request came without one, and what was remembered is forgotten
};
struct login_remembered {};

/// The registry does not let this login read this image: if it came with a request it is forgotten, so that
/// the next pull tries what else there is.
struct login_refused {
  std::string reference;
  shared_login login;
};

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::find_login)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::found_login)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::remember_login)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::login_remembered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::login_refused)
