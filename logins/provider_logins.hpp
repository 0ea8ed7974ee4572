#pragma once
#include <map>
#include <mutex>

#include "logins/provider_answer.hpp"
#include "logins/provider_config.hpp"
#include "model/instant.hpp"

namespace firstlight {

/// PROVIDER LOGINS: the logins that kubelet's credential providers give, kept for as long as they say. Any
/// thread.
class provider_logins {
 public:
  explicit provider_logins(login_options options) : options_(std::move(options)) {}

  /// Asks the providers whose matchImages suit, in their order, until one has a login for the image
  /// (host/repository). The file is read at each call. None: there is none. Blocks while programs run.
  /// Errors: those of the file; those of a program, when no other one has a login.
  [[nodiscard]] result<shared_login> find(const std::string& image, instant now);

 private:
  struct kept {
    provider_answer answer;
    instant until;
  };

  result<shared_login> ask(const credential_provider& provider, const std::string& image,
                           const helper_limits& limits, instant now);
  std::optional<shared_login> from_kept(const std::string& provider, const std::string& image, instant now);
  void keep(const credential_provider& provider, const std::string& image, const provider_answer& answer,
            instant now);

  login_options options_;
  std::mutex mutex_;                  // guards the following
  std::map<std::string, kept> kept_;  // by provider and what the answer is for
};

}  // namespace firstlight
