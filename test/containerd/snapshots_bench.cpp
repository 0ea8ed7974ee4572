#include "test/containerd/snapshots_bench.hpp"

#include <sys/mount.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "actors/node/node_root.hpp"
#include "actors/shutdown.hpp"
#include "test/containerd/mount_as_containerd.hpp"

namespace firstlight {
namespace {

using faked_root = admin_service::extend<caf::reacts_to<snapshot_news>, caf::reacts_to<pull_given_up>,
                                         caf::replies_to<container_begins>::with<container_recorded>,
                                         caf::replies_to<forget_image>::with<image_forgotten>>;

faked_root::behavior_type run_root(faked_root::pointer, std::shared_ptr<fake_root> state) {
  return {
      [state](const admin_message& message, const progress_listener& client) -> caf::result<admin_message> {
        const auto request = decode_admin_request(message.bytes.bytes);
        if (!request) return to_caf(request.error());
        const std::lock_guard lock(state->mutex);
        state->requests.push_back(*request);
        if (std::holds_alternative<admin_pull>(*request)) state->pullers.push_back(client->id());
        auto said = state->answers ? state->answers(*request) : std::nullopt;
        // A root that a test has told nothing yet has no mounts.
        if (!said && std::holds_alternative<admin_list_request>(*request))
          said = admin_reply(admin_listing{});
        if (!said) return caf::delegated<admin_message>();
        if (!*said) return to_caf(said->error());
        return admin_message{encode(**said)};
      },
      [state](const snapshot_news& told) {
        const std::lock_guard lock(state->mutex);
        state->news = told.now;
        state->damage = told.damage;
        if (told.manifests) state->manifests = *told.manifests;
      },
      [state](const pull_given_up& what) {
        const std::lock_guard lock(state->mutex);
        state->given_up.push_back(what.reference);
        state->given_up_by.push_back(what.client.id());
      },
      [state](const container_begins& news) {
        const std::lock_guard lock(state->mutex);
        state->starts.push_back(news.group);
        return container_recorded{};
      },
      [state](const forget_image& what) -> caf::result<image_forgotten> {
        const std::lock_guard lock(state->mutex);
        state->to_forget.push_back(what.reference);
        const auto done =
            state->forgets ? state->forgets(what.reference) : result<void>(fail(errc::not_found, "none"));
        if (!done) return to_caf(done.error());
        return image_forgotten{};
      }};
}

std::vector<std::string> mount_points_below(const std::filesystem::path& folder) {
  std::vector<std::string> found;
  std::ifstream table("/proc/self/mountinfo");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string point;
    for (int field = 0; field < 5; ++field) fields >> point;
    if (point.starts_with(folder.string() + "/")) found.push_back(point);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

template <class T>
T checked(result<T> opened) {
  if (!opened) throw std::runtime_error(to_string(opened.error()));
  return std::move(*opened);
}

}  // namespace

std::size_t fake_root::count(std::size_t alternative) {
  const std::lock_guard lock(mutex);
  return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(),
                                                [&](const auto& one) { return one.index() == alternative; }));
}

snapshots_bench::snapshots_bench(std::shared_ptr<fake_root> root) : root_(std::move(root)) {
  options.socket = socket();
  metadata_ = checked(database::open(folder() / "db"));
  catalogue_ = checked(image_catalogue::open(folder(), *metadata_));
  contents_ = checked(content_store::open(folder(), *metadata_, {}, 64));
  root_actor_ = caf::actor_cast<admin_service>(system_.spawn(run_root, root_));
  start();
}

snapshots_bench::~snapshots_bench() {
  stop();
  end_actors(system_, root_actor_);
  end_workers(system_, workers_);
  for (const auto& point : mount_points_below(folder())) umount2(point.c_str(), MNT_DETACH);
}

void snapshots_bench::start() {
  auto tools = std::make_shared<snapshotter_tools>(
      snapshotter_tools{.records = checked(snapshot_records::open(*metadata_, options.snapshots)),
                        .folders = snapshot_folders(snapshots_folder()),
                        .catalogue = *catalogue_,
                        .contents = *contents_,
                        .root = root_actor_,
                        .news_to = caf::actor_cast<caf::actor>(root_actor_),
                        .workers = workers_,
                        .platform = "linux/amd64",
                        .options = options,
                        .images_folder = folder() / "run/images",
                        .now_ns = [this] { return static_cast<std::int64_t>(++clock_); }});
  snapshotter_ = system_.spawn<caf::detached>(make_snapshotter, std::move(tools));
  server_ = checked(snapshots_server::start(system_, snapshotter_, logins_, options));
  stub_ = api::Snapshots::NewStub(
      grpc::CreateChannel("unix:" + socket().string(), grpc::InsecureChannelCredentials()));
}

void snapshots_bench::stop() {
  server_.reset();
  end_actors(system_, snapshotter_);
}

void snapshots_bench::restart() {
  stop();
  start();
}

grpc::Status snapshots_bench::prepare(const std::string& key, const std::string& parent,
                                      const std::map<std::string, std::string>& labels) {
  grpc::ClientContext context;
  api::PrepareSnapshotRequest request;
  request.set_key(key);
  request.set_parent(parent);
  request.mutable_labels()->insert(labels.begin(), labels.end());
  api::PrepareSnapshotResponse response;
  return stub_->Prepare(&context, request, &response);
}

grpc::Status snapshots_bench::view(const std::string& key, const std::string& parent) {
  grpc::ClientContext context;
  api::ViewSnapshotRequest request;
  request.set_key(key);
  request.set_parent(parent);
  api::ViewSnapshotResponse response;
  return stub_->View(&context, request, &response);
}

grpc::Status snapshots_bench::commit(const std::string& name, const std::string& key,
                                     const std::map<std::string, std::string>& labels,
                                     const std::string& parent) {
  grpc::ClientContext context;
  api::CommitSnapshotRequest request;
  request.set_name(name);
  request.set_key(key);
  request.set_parent(parent);
  request.mutable_labels()->insert(labels.begin(), labels.end());
  google::protobuf::Empty response;
  return stub_->Commit(&context, request, &response);
}

grpc::Status snapshots_bench::remove(const std::string& key) {
  grpc::ClientContext context;
  api::RemoveSnapshotRequest request;
  request.set_key(key);
  google::protobuf::Empty response;
  return stub_->Remove(&context, request, &response);
}

grpc::Status snapshots_bench::clean_up() {
  grpc::ClientContext context;
  google::protobuf::Empty response;
  return stub_->Cleanup(&context, {}, &response);
}

result<std::filesystem::path> snapshots_bench::forget_record(const std::string& name) {
  const caf::scoped_actor self{system_};
  result<std::filesystem::path> outcome = fail(errc::io, "no answer");
  self->request(snapshotter_, caf::infinite, forget_snapshot_record{name})
      .receive([&](const record_forgotten& done) { outcome = done.files; },
               [&](const caf::error& problem) { outcome = tl::unexpected(from_caf(problem)); });
  return outcome;
}

grpc::Status snapshots_bench::stat(const std::string& key, api::Info* into) {
  grpc::ClientContext context;
  api::StatSnapshotRequest request;
  request.set_key(key);
  api::StatSnapshotResponse response;
  auto status = stub_->Stat(&context, request, &response);
  if (into != nullptr) *into = response.info();
  return status;
}

grpc::Status snapshots_bench::update(const api::Info& info, const std::vector<std::string>& fields,
                                     api::Info* into) {
  grpc::ClientContext context;
  api::UpdateSnapshotRequest request;
  *request.mutable_info() = info;
  for (const auto& field : fields) request.mutable_update_mask()->add_paths(field);
  api::UpdateSnapshotResponse response;
  auto status = stub_->Update(&context, request, &response);
  *into = response.info();
  return status;
}

grpc::Status snapshots_bench::usage(const std::string& key, api::UsageResponse* into) {
  grpc::ClientContext context;
  api::UsageRequest request;
  request.set_key(key);
  return stub_->Usage(&context, request, into);
}

grpc::Status snapshots_bench::mounts(const std::string& key, std::vector<containerd::types::Mount>* into) {
  grpc::ClientContext context;
  api::MountsRequest request;
  request.set_key(key);
  api::MountsResponse response;
  auto status = stub_->Mounts(&context, request, &response);
  if (into != nullptr) into->assign(response.mounts().begin(), response.mounts().end());
  return status;
}

grpc::Status snapshots_bench::list(const std::vector<std::string>& filters, std::vector<api::Info>* infos,
                                   int* messages) {
  grpc::ClientContext context;
  api::ListSnapshotsRequest request;
  for (const auto& filter : filters) request.add_filters(filter);
  const auto reader = stub_->List(&context, request);
  infos->clear();
  for (api::ListSnapshotsResponse response; reader->Read(&response);) {
    if (messages != nullptr) ++*messages;
    infos->insert(infos->end(), response.info().begin(), response.info().end());
  }
  std::sort(infos->begin(), infos->end(), [](const auto& a, const auto& b) { return a.name() < b.name(); });
  return reader->Finish();
}

grpc::Status snapshots_bench::list(const std::vector<std::string>& filters, std::vector<std::string>* names,
                                   int* messages) {
  std::vector<api::Info> infos;
  auto status = list(filters, &infos, messages);
  names->clear();
  for (const auto& info : infos) names->push_back(info.name());
  return status;
}

std::filesystem::path snapshots_bench::mount_all(const std::string& key,
                                                 const std::vector<containerd::types::Mount>& mounts) {
  const auto point = folder() / "points" / std::to_string(++points_);
  std::filesystem::create_directories(point);
  INFO(key);
  REQUIRE(mounts.size() == 1);
  INFO(mounts.front().ShortDebugString());
  REQUIRE(mount_as_containerd(mounts.front(), point) == 0);
  return point;
}

std::filesystem::path snapshots_bench::prepare_mounted(const std::string& key, const std::string& parent) {
  const auto made = prepare(key, parent);
  INFO(made.error_message());
  REQUIRE(made.ok());
  std::vector<containerd::types::Mount> all;
  REQUIRE(mounts(key, &all).ok());
  return mount_all(key, all);
}

std::filesystem::path snapshots_bench::view_mounted(const std::string& key, const std::string& parent) {
  const auto made = view(key, parent);
  INFO(made.error_message());
  REQUIRE(made.ok());
  std::vector<containerd::types::Mount> all;
  REQUIRE(mounts(key, &all).ok());
  return mount_all(key, all);
}

void snapshots_bench::layer(const std::string& name, const std::string& parent,
                            const std::function<void(const std::filesystem::path&)>& change) {
  const auto point = prepare_mounted("making " + name, parent);
  change(point);
  unmount(point);
  const auto committed = commit(name, "making " + name);
  INFO(committed.error_message());
  REQUIRE(committed.ok());
}

void snapshots_bench::unmount(const std::filesystem::path& point) {
  REQUIRE(umount2(point.c_str(), 0) == 0);
}

}  // namespace firstlight
