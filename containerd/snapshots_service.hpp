#pragma once
#include "actors/interfaces.hpp"
#include "containerd/open_calls.hpp"
#include "schemas/containerd/snapshots.grpc.pb.h"

namespace firstlight {

/// SNAPSHOTS SERVICE: containerd's calls become messages to the snapshotter. gRPC's threads never wait.
class snapshots_service final : public containerd::services::snapshots::v1::Snapshots::CallbackService {
 public:
  /// `calls` outlives this and is ended before the server that has this shuts down.
  snapshots_service(open_calls& calls, snapshotter which, std::uint32_t listed_at_once_max)
      : calls_(calls), snapshotter_(std::move(which)), listed_at_once_max_(listed_at_once_max) {}

 private:
  using context = grpc::CallbackServerContext;
  using reactor = grpc::ServerUnaryReactor;
  template <class Message>
  using of = const Message*;

  reactor* Prepare(context* call, of<containerd::services::snapshots::v1::PrepareSnapshotRequest> request,
                   containerd::services::snapshots::v1::PrepareSnapshotResponse* response) override;
  reactor* View(context* call, of<containerd::services::snapshots::v1::ViewSnapshotRequest> request,
                containerd::services::snapshots::v1::ViewSnapshotResponse* response) override;
  reactor* Mounts(context* call, of<containerd::services::snapshots::v1::MountsRequest> request,
                  containerd::services::snapshots::v1::MountsResponse* response) override;
  reactor* Commit(context* call, of<containerd::services::snapshots::v1::CommitSnapshotRequest> request,
                  google::protobuf::Empty* response) override;
  reactor* Remove(context* call, of<containerd::services::snapshots::v1::RemoveSnapshotRequest> request,
                  google::protobuf::Empty* response) override;
  reactor* Stat(context* call, of<containerd::services::snapshots::v1::StatSnapshotRequest> request,
                containerd::services::snapshots::v1::StatSnapshotResponse* response) override;
  reactor* Update(context* call, of<containerd::services::snapshots::v1::UpdateSnapshotRequest> request,
                  containerd::services::snapshots::v1::UpdateSnapshotResponse* response) override;
  grpc::ServerWriteReactor<containerd::services::snapshots::v1::ListSnapshotsResponse>* List(
      context* call, of<containerd::services::snapshots::v1::ListSnapshotsRequest> request) override;
  reactor* Usage(context* call, of<containerd::services::snapshots::v1::UsageRequest> request,
                 containerd::services::snapshots::v1::UsageResponse* response) override;
  reactor* Cleanup(context* call, of<containerd::services::snapshots::v1::CleanupRequest> request,
                   google::protobuf::Empty* response) override;

  template <class Reply, class Message, class Fill>
  reactor* answer(context* call, Message message, Fill fill);

  open_calls& calls_;
  snapshotter snapshotter_;
  std::uint32_t listed_at_once_max_;
};

}  // namespace firstlight
