#include "actors/vital.hpp"

#include <spdlog/spdlog.h>

#include <cstdlib>

namespace firstlight {
namespace {

bool is_wished(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::user_shutdown || reason == caf::exit_reason::kill;
}

}  // namespace

void abort_daemon(const std::string& why) {
  spdlog::critical("{}; the daemon ends, its next start goes on", why);
  spdlog::default_logger()->flush();
  std::abort();
}

void watch_vital(const caf::actor& which, on_failure then) {
  if (!which) return;
  which->attach_functor([id = which.id(), then = std::move(then)](const caf::error& reason) {
    if (!is_wished(reason)) then("actor " + std::to_string(id) + " has failed: " + caf::to_string(reason));
  });
}

}  // namespace firstlight
