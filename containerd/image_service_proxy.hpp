#pragma once
#include <grpcpp/generic/async_generic_service.h>

#include <memory>

#include "actors/interfaces.hpp"
#include "config/containerd_options.hpp"
#include "containerd/open_calls.hpp"

namespace firstlight {

/// IMAGE SERVICE PROXY: kubelet's calls to the image service of its container runtime go through it to
/// containerd, as they are, and the answers back. Of a PullImage it tells the login keeper the pull secret
/// before it goes on: then the snapshots that the pull makes are asked for with it. gRPC's threads never
/// wait.
class image_service_proxy final : public grpc::CallbackGenericService {
 public:
  /// `calls` outlives this and is ended before the server that has this shuts down.
  image_service_proxy(open_calls& calls, login_keeper logins, const containerd_options& options);
  ~image_service_proxy() override;

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* call) override;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
