#include "test/harness/cluster/cri_client.hpp"

#include <grpcpp/grpcpp.h>

#include <map>

#include "schemas/containerd/cri.grpc.pb.h"

namespace firstlight {
namespace {

namespace api = runtime::v1;

constexpr std::chrono::minutes call_limit{4};
constexpr std::chrono::seconds stop_time{1};  // until a program that does not end by itself is killed

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
  std::map<std::string, api::PodSandboxConfig> pods{};  ///< by id
};

cri_client::cri_client(const std::filesystem::path& runtime, const std::filesystem::path& images)
    : impl_(std::make_unique<impl>(impl{
          api::RuntimeService::NewStub(connect(runtime)), api::ImageService::NewStub(connect(images)), {}})) {
}

cri_client::~cri_client() = default;

bool cri_client::serves() {
  api::ListImagesResponse response;
  return impl_->images->ListImages(limited().get(), {}, &response).ok();
}

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

cri_said cri_client::run_pod(const std::string& name) {
  api::RunPodSandboxRequest request;
  auto& config = *request.mutable_config();
  config.mutable_metadata()->set_name(name);
  config.mutable_metadata()->set_uid(name);
  config.mutable_metadata()->set_namespace_("default");
  auto* namespaces = config.mutable_linux()->mutable_security_context()->mutable_namespace_options();
  namespaces->set_network(api::NODE);
  api::RunPodSandboxResponse response;
  const auto status = impl_->runtime->RunPodSandbox(limited().get(), request, &response);
  if (status.ok()) impl_->pods[response.pod_sandbox_id()] = config;
  return said(status, response.pod_sandbox_id());
}

cri_said cri_client::create(const std::string& pod, const std::string& image,
                            const std::vector<std::string>& command) {
  api::CreateContainerRequest request;
  request.set_pod_sandbox_id(pod);
  *request.mutable_sandbox_config() = impl_->pods.at(pod);
  auto& config = *request.mutable_config();
  config.mutable_metadata()->set_name("main");
  config.mutable_image()->set_image(image);
  for (const auto& word : command) config.add_command(word);
  auto* namespaces = config.mutable_linux()->mutable_security_context()->mutable_namespace_options();
  namespaces->set_network(api::NODE);
  api::CreateContainerResponse response;
  const auto status = impl_->runtime->CreateContainer(limited().get(), request, &response);
  return said(status, response.container_id());
}

cri_said cri_client::start(const std::string& container) {
  api::StartContainerRequest request;
  request.set_container_id(container);
  api::StartContainerResponse response;
  return said(impl_->runtime->StartContainer(limited().get(), request, &response), container);
}

bool cri_client::runs(const std::string& container) {
  api::ContainerStatusRequest request;
  request.set_container_id(container);
  api::ContainerStatusResponse response;
  const auto status = impl_->runtime->ContainerStatus(limited().get(), request, &response);
  if (!status.ok()) throw std::runtime_error("ContainerStatus: " + status.error_message());
  return response.status().state() == api::CONTAINER_RUNNING;
}

cri_said cri_client::exec(const std::string& container, const std::vector<std::string>& command) {
  api::ExecSyncRequest request;
  request.set_container_id(container);
  for (const auto& word : command) request.add_cmd(word);
  api::ExecSyncResponse response;
  const auto status = impl_->runtime->ExecSync(limited().get(), request, &response);
  if (!status.ok()) return said(status, {});
  return {response.exit_code() == 0, response.stdout(), response.stderr()};
}

cri_said cri_client::remove_container(const std::string& container) {
  api::StopContainerRequest stop;
  stop.set_container_id(container);
  stop.set_timeout(stop_time.count());
  api::StopContainerResponse stopped;
  const auto status = impl_->runtime->StopContainer(limited().get(), stop, &stopped);
  if (!status.ok()) return said(status, {});
  api::RemoveContainerRequest request;
  request.set_container_id(container);
  api::RemoveContainerResponse response;
  return said(impl_->runtime->RemoveContainer(limited().get(), request, &response), {});
}

cri_said cri_client::remove_pod(const std::string& pod) {
  api::StopPodSandboxRequest stop;
  stop.set_pod_sandbox_id(pod);
  api::StopPodSandboxResponse stopped;
  const auto status = impl_->runtime->StopPodSandbox(limited().get(), stop, &stopped);
  if (!status.ok()) return said(status, {});
  api::RemovePodSandboxRequest request;
  request.set_pod_sandbox_id(pod);
  api::RemovePodSandboxResponse response;
  return said(impl_->runtime->RemovePodSandbox(limited().get(), request, &response), {});
}

}  // namespace firstlight
