#pragma once
#include <string>

#include "model/access_cache.hpp"

namespace firstlight {

/// Whether and how a hub asks registries if nodes may read their images.
struct access_options {
  std::string check = "always";  ///< "always" or "never"
  access_times times;
  std::chrono::milliseconds timeout{3'000};  ///< of one request to the registry or its token server
  std::uint32_t attempts_max = 2;            ///< of one question; then the registry counts as away
  std::uint32_t questions_max = 4;           ///< at once
  std::uint32_t questions_per_host_max = 2;  ///< of them to one registry: a slow one holds no other up
  std::uint32_t waiting_max = 4096;          ///< pulls that wait for an answer; further ones are refused
};

}  // namespace firstlight
