#include "containerd/containerd_client.hpp"

#include <grpcpp/create_channel.h>
#include <spdlog/spdlog.h>

#include "containerd/grpc_status.hpp"
#include "schemas/containerd/content.grpc.pb.h"
#include "schemas/containerd/images.grpc.pb.h"
#include "schemas/containerd/leases.grpc.pb.h"
#include "schemas/containerd/snapshots.grpc.pb.h"

namespace firstlight {
namespace {

namespace content = containerd::services::content::v1;
namespace images = containerd::services::images::v1;
namespace leases = containerd::services::leases::v1;
namespace snapshots = containerd::services::snapshots::v1;

constexpr std::chrono::hours lease_life{1};

/// RFC 3339, UTC.
std::string time_text(std::chrono::system_clock::time_point at) {
  const auto seconds = std::chrono::system_clock::to_time_t(at);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

result<void> outcome(const grpc::Status& status, const std::string& doing) {
  if (status.ok()) return {};
  return fail(from_grpc(status), "containerd: " + doing);
}

bool exists_already(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::ALREADY_EXISTS;
}

}  // namespace

struct containerd_client::impl {
  const containerd_options& options;
  std::string space;
  std::string lease{};
  std::shared_ptr<grpc::Channel> channel{};

  std::unique_ptr<grpc::ClientContext> context() const {
    auto made = std::make_unique<grpc::ClientContext>();
    made->AddMetadata("containerd-namespace", space);
    if (!lease.empty()) made->AddMetadata("containerd-lease", lease);
    made->set_deadline(std::chrono::system_clock::now() + options.call_timeout);
    return made;
  }

  result<void> take_lease() {
    leases::CreateRequest request;
    const auto now = std::chrono::system_clock::now();
    request.set_id("firstlight-" + std::to_string(now.time_since_epoch().count()));
    (*request.mutable_labels())["containerd.io/gc.expire"] = time_text(now + lease_life);
    leases::CreateResponse response;
    const auto call = context();
    const auto status = leases::Leases::NewStub(channel)->Create(call.get(), request, &response);
    if (!status.ok())
      return fail(from_grpc(status),
                  "containerd at " + options.address.string() + " (setting containerd.address)");
    lease = response.lease().id();
    return {};
  }

  result<void> label(const containerd_blob& blob) const {
    content::UpdateRequest request;
    request.mutable_info()->set_digest(blob.id.oci());
    request.mutable_info()->mutable_labels()->insert(blob.labels.begin(), blob.labels.end());
    for (const auto& [key, value] : blob.labels) request.mutable_update_mask()->add_paths("labels." + key);
    content::UpdateResponse response;
    const auto status = content::Content::NewStub(channel)->Update(context().get(), request, &response);
    return outcome(status, "label " + blob.id.oci());
  }
};

containerd_client::containerd_client(std::unique_ptr<impl> state) : impl_(std::move(state)) {}

result<std::unique_ptr<containerd_client>> containerd_client::open(const containerd_options& options,
                                                                   const std::string& space) {
  auto state = std::make_unique<impl>(impl{options, space});
  state->channel =
      grpc::CreateChannel("unix:" + options.address.string(), grpc::InsecureChannelCredentials());
  if (auto leased = state->take_lease(); !leased) return tl::unexpected(leased.error());
  return std::unique_ptr<containerd_client>(new containerd_client(std::move(state)));
}

containerd_client::~containerd_client() {
  leases::DeleteRequest request;
  request.set_id(impl_->lease);
  google::protobuf::Empty response;
  const auto status =
      leases::Leases::NewStub(impl_->channel)->Delete(impl_->context().get(), request, &response);
  if (!status.ok()) spdlog::warn("a lease of containerd's stays for an hour: {}", status.error_message());
}

result<void> containerd_client::put(const containerd_blob& blob) {
  content::WriteContentRequest request;
  request.set_action(content::COMMIT);
  request.set_ref("firstlight-" + blob.id.oci());
  request.set_total(static_cast<std::int64_t>(blob.bytes.size()));
  request.set_expected(blob.id.oci());
  request.set_data(blob.bytes);
  request.mutable_labels()->insert(blob.labels.begin(), blob.labels.end());
  const auto service = content::Content::NewStub(impl_->channel);
  const auto context = impl_->context();
  const auto stream = service->Write(context.get());
  content::WriteContentResponse response;
  stream->Write(request);
  stream->WritesDone();
  while (stream->Read(&response)) continue;
  const auto status = stream->Finish();
  return exists_already(status) ? impl_->label(blob) : outcome(status, "store " + blob.id.oci());
}

result<void> containerd_client::prepare_layer(const labelled_layer& layer, const std::string& parent) {
  snapshots::PrepareSnapshotRequest request;
  request.set_snapshotter(impl_->options.snapshotter);
  request.set_key("firstlight-" + impl_->lease + " " + layer.target);
  request.set_parent(parent);
  const auto labels = labels_of(layer);
  request.mutable_labels()->insert(labels.begin(), labels.end());
  snapshots::PrepareSnapshotResponse response;
  const auto service = snapshots::Snapshots::NewStub(impl_->channel);
  const auto status = service->Prepare(impl_->context().get(), request, &response);
  if (exists_already(status)) return {};
  if (!status.ok()) return outcome(status, "snapshot " + layer.target);
  snapshots::RemoveSnapshotRequest unwanted;
  unwanted.set_snapshotter(request.snapshotter());
  unwanted.set_key(request.key());
  google::protobuf::Empty ignored;
  const auto removed = service->Remove(impl_->context().get(), unwanted, &ignored);
  if (!removed.ok()) spdlog::warn("containerd: remove {}: {}", request.key(), removed.error_message());
  return fail(errc::unavailable, "snapshotter " + impl_->options.snapshotter +
                                     " of containerd's would unpack layer " + layer.target +
                                     ": is it this node (setting containerd.snapshotter)?");
}

result<void> containerd_client::name_image(const std::string& name, const containerd_blob& manifest) {
  images::Image image;
  image.set_name(name);
  image.mutable_target()->set_media_type(manifest.media_type);
  image.mutable_target()->set_digest(manifest.id.oci());
  image.mutable_target()->set_size(static_cast<std::int64_t>(manifest.bytes.size()));
  const auto service = images::Images::NewStub(impl_->channel);
  images::CreateImageRequest made;
  *made.mutable_image() = image;
  images::CreateImageResponse created;
  const auto status = service->Create(impl_->context().get(), made, &created);
  if (!exists_already(status)) return outcome(status, "image " + name);
  images::UpdateImageRequest changed;
  *changed.mutable_image() = image;
  changed.mutable_update_mask()->add_paths("target");
  images::UpdateImageResponse updated;
  return outcome(service->Update(impl_->context().get(), changed, &updated), "image " + name);
}

}  // namespace firstlight
