#include "containerd/image_service_proxy.hpp"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <spdlog/spdlog.h>

#include "containerd/pull_secret.hpp"

namespace firstlight {
namespace {

bool is_image_service(const std::string& method) {
  return method.starts_with("/runtime.v1.ImageService/") ||
         method.starts_with("/runtime.v1alpha2.ImageService/");
}

bool is_pull(const std::string& method) {
  return method.ends_with(".ImageService/PullImage");
}

/// What gRPC says itself of a call; all else is the caller's and goes on.
bool is_of_transport(std::string_view name) {
  return name.starts_with(":") || name.starts_with("grpc-") || name == "user-agent" ||
         name == "content-type" || name == "te" || name.ends_with("-bin");
}

std::shared_ptr<grpc::Channel> connect(const containerd_options& options) {
  grpc::ChannelArguments limits;
  limits.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  limits.SetMaxSendMessageSize(static_cast<int>(options.message_bytes_max));
  // containerd may start anew: the next call is not to wait for a long time. The first pause is not bound by
  // the longest one.
  const auto wait_ms = static_cast<int>(options.reconnect_wait.count());
  for (const auto* pause : {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS})
    limits.SetInt(pause, wait_ms);
  return grpc::CreateCustomChannel("unix:" + options.address.string(), grpc::InsecureChannelCredentials(),
                                   limits);
}

/// Kubelet knows the node's socket only: an error that may be of the way to containerd says which way.
grpc::Status with_address(const grpc::Status& status, const std::filesystem::path& address) {
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return status;
  return {status.error_code(),
          "containerd at " + address.string() + " (setting containerd.address): " + status.error_message(),
          status.error_details()};
}

/// What all calls share.
struct way_onward {
  open_calls& calls;
  login_keeper logins;
  std::filesystem::path address;  ///< of containerd
  grpc::GenericStub client;
};

/// One call on its way; ends itself with it.
class forwarded_call final : public grpc::ServerGenericBidiReactor {
 public:
  forwarded_call(grpc::GenericCallbackServerContext* call, way_onward& onward)
      : call_(call), onward_(onward) {
    if (is_image_service(call->method()))
      StartRead(&request_);
    else
      Finish({grpc::StatusCode::UNIMPLEMENTED,
              "this node serves snapshots and the image service; all else is "
              "containerd's own"});
  }

  void OnReadDone(bool well) override {
    if (!well) return Finish({grpc::StatusCode::CANCELLED, "the call has no message"});
    if (!is_pull(call_->method())) return forward();
    const auto secret = read_pull_secret(request_);
    if (!secret) {
      spdlog::warn("the pull secret of a PullImage cannot be used: {}", to_string(secret.error()));
      return forward();
    }
    onward_.calls.ask<login_remembered>(onward_.logins, *secret,
                                        [this](const result<login_remembered>& done) {
                                          if (done) return forward();
                                          Finish({grpc::StatusCode::UNAVAILABLE, done.error().detail});
                                        });
  }

  void OnWriteDone(bool) override { Finish(status_); }
  void OnCancel() override { context_.TryCancel(); }
  void OnDone() override { delete this; }

 private:
  void forward() {
    context_.set_deadline(call_->deadline());
    for (const auto& [name, value] : call_->client_metadata()) {
      const std::string key(name.data(), name.size());
      if (!is_of_transport(key)) context_.AddMetadata(key, {value.data(), value.size()});
    }
    onward_.client.UnaryCall(&context_, call_->method(), {}, &request_, &response_,
                             [this](const auto& status) {
                               status_ = with_address(status, onward_.address);
                               if (!status_.ok()) return Finish(status_);
                               StartWrite(&response_);
                             });
  }

  grpc::GenericCallbackServerContext* call_;
  way_onward& onward_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
};

}  // namespace

struct image_service_proxy::impl {
  way_onward onward;
};

image_service_proxy::image_service_proxy(open_calls& calls, login_keeper logins,
                                         const containerd_options& options)
    : impl_(new impl{{calls, std::move(logins), options.address, grpc::GenericStub(connect(options))}}) {}

image_service_proxy::~image_service_proxy() = default;

grpc::ServerGenericBidiReactor* image_service_proxy::CreateReactor(grpc::GenericCallbackServerContext* call) {
  return new forwarded_call(call, impl_->onward);  // gRPC says when it may go
}

}  // namespace firstlight
