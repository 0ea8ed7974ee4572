#include "test/harness/cluster/cri_client.hpp"

#include <grpcpp/grpcpp.h>

#include "schemas/containerd/cri.grpc.pb.h"

namespace firstlight {
namespace {

namespace api = runtime::v1;

constexpr std::chrono::minutes call_limit{4};

std::shared_ptr<grpc::Channel> connect(const std::filesystem::path& socket) {
  return grpc::CreateChannel("unix:" + socket.string(), grpc::InsecureChannelCredentials());
}

std::unique_ptr<grpc::ClientContext> limited() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + call_limit);
  context->set_wait_for_ready(true);  // the daemon may be starting
  return context;
}

cri_said said(const grpc::Status& status, const std::string& value) {
  return {status.ok(), status.ok() ? value : "", status.error_message()};
}

}  // namespace

struct cri_client::impl {
  std::unique_ptr<api::RuntimeService::StubInterface> runtime;
  std::unique_ptr<api::ImageService::StubInterface> images;
};

cri_client::cri_client(const std::filesystem::path& runtime, const std::filesystem::path& images)
    : impl_(std::make_unique<impl>(impl{api::RuntimeService::NewStub(connect(runtime)),
                                        api::ImageService::NewStub(connect(images))})) {}

cri_client::~cri_client() = default;

cri_said cri_client::pull(const std::string& reference, const std::optional<cri_login>& login) {
  api::PullImageRequest request;
  request.mutable_image()->set_image(reference);
  if (login) {
    request.mutable_auth()->set_username(login->user);
    request.mutable_auth()->set_password(login->password);
  }
  api::PullImageResponse response;
  const auto status = impl_->images->PullImage(limited().get(), request, &response);
  return said(status, response.image_ref());
}

bool cri_client::has_image(const std::string& reference) {
  api::ImageStatusRequest request;
  request.mutable_image()->set_image(reference);
  api::ImageStatusResponse response;
  const auto status = impl_->images->ImageStatus(limited().get(), request, &response);
  if (!status.ok()) throw std::runtime_error("ImageStatus: " + status.error_message());
  return response.has_image();
}

cri_said cri_client::remove_image(const std::string& reference) {
  api::RemoveImageRequest request;
  request.mutable_image()->set_image(reference);
  api::RemoveImageResponse response;
  return said(impl_->images->RemoveImage(limited().get(), request, &response), {});
}

std::vector<std::string> cri_client::images() {
  api::ListImagesResponse response;
  const auto status = impl_->images->ListImages(limited().get(), {}, &response);
  if (!status.ok()) throw std::runtime_error("ListImages: " + status.error_message());
  std::vector<std::string> tags;
  for (const auto& image : response.images())
    tags.insert(tags.end(), image.repo_tags().begin(), image.repo_tags().end());
  return tags;
}

}  // namespace firstlight
