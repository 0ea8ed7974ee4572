#pragma once
#include <grpcpp/create_channel.h>

#include <functional>
#include <optional>
#include <set>

#include "actors/node/snapshotter.hpp"
#include "containerd/snapshots_server.hpp"
#include "schemas/admin.hpp"
#include "schemas/containerd/snapshots.grpc.pb.h"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {

namespace api = containerd::services::snapshots::v1;

/// A node's root that answers what the test says.
struct fake_root {
  using answer = std::function<std::optional<result<admin_reply>>(const admin_request&)>;
  answer answers;                          ///< nothing: never
  std::vector<admin_request> requests;     ///< all that came
  std::vector<caf::actor_id> pullers;      ///< the clients of all pulls
  std::vector<std::string> given_up;       ///< references of pulls that nobody waits for
  std::vector<caf::actor_id> given_up_by;  ///< their clients
  std::vector<std::string> starts;         ///< of containers above images: the groups of each
  admin_snapshots news;                    ///< as told last
  std::string damage;                      ///< a notice, as told last
  std::set<digest> manifests;              ///< that there are snapshots of, as told last
  std::function<result<void>(const std::string& reference)> forgets;  ///< nothing: it has no image
  std::vector<std::string> to_forget;                                 ///< references, as they were asked for
  std::mutex mutex;                                                   ///< guards all
  [[nodiscard]] std::size_t count(std::size_t alternative);
};

/// A snapshotter behind its real socket, and containerd's side of it. Everything is below one temporary
/// folder; what the test has mounted there is detached at the end. One thread.
class snapshots_bench {
 public:
  explicit snapshots_bench(std::shared_ptr<fake_root> root = std::make_shared<fake_root>());
  ~snapshots_bench();
  snapshots_bench(const snapshots_bench&) = delete;
  snapshots_bench& operator=(const snapshots_bench&) = delete;

  /// Ends the server and the snapshotter, and starts others over the same store.
  void restart();
  /// Ends the server and the snapshotter.
  void stop();

  grpc::Status prepare(const std::string& key, const std::string& parent = "",
                       const std::map<std::string, std::string>& labels = {});
  grpc::Status view(const std::string& key, const std::string& parent = "");
  grpc::Status commit(const std::string& name, const std::string& key,
                      const std::map<std::string, std::string>& labels = {}, const std::string& parent = "");
  grpc::Status remove(const std::string& key);
  grpc::Status clean_up();
  /// What a user asks for by `firstlight layer rm`. @returns where files are left.
  result<std::filesystem::path> forget_record(const std::string& name);
  grpc::Status stat(const std::string& key, api::Info* into = nullptr);
  grpc::Status update(const api::Info& info, const std::vector<std::string>& fields, api::Info* into);
  grpc::Status usage(const std::string& key, api::UsageResponse* into);
  grpc::Status mounts(const std::string& key, std::vector<containerd::types::Mount>* into = nullptr);
  /// Those that match, by name. `messages` counts how many messages brought them.
  grpc::Status list(const std::vector<std::string>& filters, std::vector<api::Info>* infos,
                    int* messages = nullptr);
  /// Their names.
  grpc::Status list(const std::vector<std::string>& filters, std::vector<std::string>* names,
                    int* messages = nullptr);

  /// Prepares, mounts on a new folder and returns that.
  std::filesystem::path prepare_mounted(const std::string& key, const std::string& parent = "");
  /// Views, mounts on a new folder and returns that.
  std::filesystem::path view_mounted(const std::string& key, const std::string& parent);
  /// Prepares, has `change` change the mounted tree, and commits.
  void layer(const std::string& name, const std::string& parent,
             const std::function<void(const std::filesystem::path&)>& change);
  static void unmount(const std::filesystem::path& point);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] std::filesystem::path socket() const { return folder() / "run/containerd.sock"; }
  [[nodiscard]] std::filesystem::path snapshots_folder() const { return folder() / "snapshots"; }
  containerd_options options;  ///< of the next start
  image_catalogue& catalogue() { return *catalogue_; }
  content_store& contents() { return *contents_; }
  database& metadata() { return *metadata_; }
  /// For tests whose messages have to arrive in the order in which they are sent: calls may not.
  caf::actor_system& system() { return system_; }
  const snapshotter& actor() const { return snapshotter_; }

 private:
  void start();
  std::filesystem::path mount_all(const std::string& key,
                                  const std::vector<containerd::types::Mount>& mounts);

  temporary_folder folder_;
  std::shared_ptr<fake_root> root_;
  std::uint64_t clock_ = 1'000'000'000'000'000'000;
  std::uint32_t points_ = 0;
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  std::unique_ptr<database> metadata_;
  std::unique_ptr<image_catalogue> catalogue_;
  std::unique_ptr<content_store> contents_;
  worker_pool workers_{system_, 2};
  admin_service root_actor_;
  snapshotter snapshotter_;
  login_keeper logins_;  // none: nobody asks for images
  std::unique_ptr<snapshots_server> server_;
  std::unique_ptr<api::Snapshots::StubInterface> stub_;
};

}  // namespace firstlight
