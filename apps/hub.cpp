#include "apps/hub.hpp"

#include "actors/hub/hub_daemon.hpp"
#include "apps/actor_runtime.hpp"
#include "apps/version.hpp"

namespace firstlight {
namespace {

class hub_service final : public running_daemon {
 public:
  static result<std::unique_ptr<running_daemon>> start(const hub_options& options) {
    auto service = std::make_unique<hub_service>();
    auto hub = hub_daemon::start(service->runtime_.system(), options, std::string(software_version()));
    if (!hub) return tl::unexpected(hub.error());
    service->hub_ = std::move(*hub);
    return service;
  }

 private:
  actor_runtime runtime_;
  std::unique_ptr<hub_daemon> hub_;  // ends before its actor system
};

}  // namespace

result<std::unique_ptr<running_daemon>> start_hub(const hub_options& options) {
  return hub_service::start(options);
}

}  // namespace firstlight
