#include "containerd/snapshots_service.hpp"

#include "containerd/grpc_status.hpp"
#include "containerd/snapshot_values.hpp"

namespace firstlight {
namespace {

namespace api = containerd::services::snapshots::v1;

/// Sends a listing message by message; ends itself with the call.
class listing final : public grpc::ServerWriteReactor<api::ListSnapshotsResponse> {
 public:
  explicit listing(std::uint32_t at_once) : at_once_(at_once) {}

  void start(const result<snapshot_list>& all) {
    if (!all) return Finish(to_grpc(all.error()));
    all_ = *all;
    write_next();
  }
  void OnWriteDone(bool well) override {
    well ? write_next() : Finish({grpc::StatusCode::CANCELLED, "the caller went away"});
  }
  void OnDone() override { delete this; }

 private:
  void write_next() {
    if (next_ == all_.snapshots.size()) return Finish(grpc::Status::OK);
    message_.Clear();
    for (std::uint32_t i = 0; i < at_once_ && next_ < all_.snapshots.size(); ++i)
      write_info(all_.snapshots[next_++], *message_.add_info());
    StartWrite(&message_);
  }

  std::uint32_t at_once_;
  snapshot_list all_;
  std::size_t next_ = 0;
  api::ListSnapshotsResponse message_;
};

constexpr auto nothing = [](const auto&) {};

}  // namespace

template <class Reply, class Message, class Fill>
grpc::ServerUnaryReactor* snapshots_service::answer(context* call, Message message, Fill fill) {
  auto* ending = call->DefaultReactor();
  calls_.ask<Reply>(snapshotter_, std::move(message), [ending, fill](const result<Reply>& reply) {
    if (!reply) return ending->Finish(to_grpc(reply.error()));
    fill(*reply);
    ending->Finish(grpc::Status::OK);
  });
  return ending;
}

grpc::ServerUnaryReactor* snapshots_service::Prepare(context* call, of<api::PrepareSnapshotRequest> request,
                                                     api::PrepareSnapshotResponse* response) {
  return answer<snapshot_mount_list>(
      call,
      make_snapshot{snapshot_kind::active, request->key(), request->parent(), read_labels(request->labels())},
      [response](const snapshot_mount_list& mounts) { write_mounts(mounts, *response); });
}

grpc::ServerUnaryReactor* snapshots_service::View(context* call, of<api::ViewSnapshotRequest> request,
                                                  api::ViewSnapshotResponse* response) {
  return answer<snapshot_mount_list>(
      call,
      make_snapshot{snapshot_kind::view, request->key(), request->parent(), read_labels(request->labels())},
      [response](const snapshot_mount_list& mounts) { write_mounts(mounts, *response); });
}

grpc::ServerUnaryReactor* snapshots_service::Mounts(context* call, of<api::MountsRequest> request,
                                                    api::MountsResponse* response) {
  return answer<snapshot_mount_list>(
      call, mount_snapshot{request->key()},
      [response](const snapshot_mount_list& mounts) { write_mounts(mounts, *response); });
}

grpc::ServerUnaryReactor* snapshots_service::Commit(context* call, of<api::CommitSnapshotRequest> request,
                                                    google::protobuf::Empty*) {
  return answer<snapshot_record>(
      call,
      commit_snapshot{request->name(), request->key(), read_labels(request->labels()), request->parent()},
      nothing);
}

grpc::ServerUnaryReactor* snapshots_service::Remove(context* call, of<api::RemoveSnapshotRequest> request,
                                                    google::protobuf::Empty*) {
  return answer<snapshots_cleaned>(call, remove_snapshot{request->key()}, nothing);
}

grpc::ServerUnaryReactor* snapshots_service::Stat(context* call, of<api::StatSnapshotRequest> request,
                                                  api::StatSnapshotResponse* response) {
  return answer<snapshot_record>(
      call, find_snapshot{request->key()},
      [response](const snapshot_record& record) { write_info(record, *response->mutable_info()); });
}

grpc::ServerUnaryReactor* snapshots_service::Update(context* call, of<api::UpdateSnapshotRequest> request,
                                                    api::UpdateSnapshotResponse* response) {
  const auto& paths = request->update_mask().paths();
  return answer<snapshot_record>(
      call,
      update_snapshot{
          request->info().name(), read_labels(request->info().labels()), {paths.begin(), paths.end()}},
      [response](const snapshot_record& record) { write_info(record, *response->mutable_info()); });
}

grpc::ServerWriteReactor<api::ListSnapshotsResponse>* snapshots_service::List(
    context*, of<api::ListSnapshotsRequest> request) {
  auto* ending = new listing(listed_at_once_max_);  // gRPC says when it may go
  calls_.ask<snapshot_list>(snapshotter_,
                            list_snapshots{{request->filters().begin(), request->filters().end()}},
                            [ending](const result<snapshot_list>& all) { ending->start(all); });
  return ending;
}

grpc::ServerUnaryReactor* snapshots_service::Usage(context* call, of<api::UsageRequest> request,
                                                   api::UsageResponse* response) {
  return answer<snapshot_usage>(call, measure_snapshot{request->key()},
                                [response](const snapshot_usage& used) {
                                  response->set_size(static_cast<std::int64_t>(used.bytes));
                                  response->set_inodes(static_cast<std::int64_t>(used.inodes));
                                });
}

grpc::ServerUnaryReactor* snapshots_service::Cleanup(context* call, of<api::CleanupRequest>,
                                                     google::protobuf::Empty*) {
  return answer<snapshots_cleaned>(call, clean_snapshots{}, nothing);
}

}  // namespace firstlight
