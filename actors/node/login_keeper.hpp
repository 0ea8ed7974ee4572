#pragma once
#include <map>

#include "actors/interfaces.hpp"
#include "actors/worker.hpp"
#include "config/login_options.hpp"
#include "logins/provider_logins.hpp"

namespace firstlight {

/// What the keeper works with.
struct login_keeper_tools {
  login_options options;
  std::shared_ptr<provider_logins> providers;
  worker_pool workers;  ///< read files and run programs
};

struct login_keeper_state {
  static inline const char* name = "login-keeper";
  struct remembered {
    shared_login login;
    instant at;
  };
  std::map<std::string, remembered> requests;  ///< by host/repository
};

/// Secrets stay in its memory, and go with it.
login_keeper::behavior_type make_login_keeper(login_keeper::stateful_pointer<login_keeper_state> self,
                                              login_keeper_tools tools);

}  // namespace firstlight
