#include "containerd/snapshots_server.hpp"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "actors/net/socket_file.hpp"
#include "containerd/image_service_proxy.hpp"
#include "containerd/snapshots_service.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

/// A folder that only its owner can enter, removed with this: what is bound in it is never open to others.
class closed_folder {
 public:
  static result<closed_folder> make(const std::filesystem::path& beside) {
    auto name = (beside.parent_path() / ".socket-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return tl::unexpected(from_errno(errno, "make a folder " + name));
    return closed_folder(std::move(name));
  }
  closed_folder(closed_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  closed_folder& operator=(closed_folder&&) = delete;
  ~closed_folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::filesystem::path socket() const { return path_ / "s"; }

 private:
  explicit closed_folder(std::string path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// Its mode is set before anybody can reach it.
result<void> publish(const std::filesystem::path& bound, const std::filesystem::path& socket) {
  if (chmod(bound.c_str(), 0600) != 0 || rename(bound.c_str(), socket.c_str()) != 0)
    return tl::unexpected(from_errno(errno, "show the socket " + socket.string()));
  return {};
}

}  // namespace

struct snapshots_server::impl {
  std::filesystem::path socket;
  open_calls calls;
  snapshots_service service;
  image_service_proxy images;
  std::unique_ptr<grpc::Server> server{};
  bool shown = false;

  impl(caf::actor_system& system, snapshotter which, login_keeper logins, const containerd_options& options)
      : socket(std::filesystem::absolute(options.socket)),
        calls(system),
        service(calls, std::move(which), options.listed_at_once_max),
        images(calls, std::move(logins), options) {}

  result<void> listen(const containerd_options& options) {
    if (auto place = free_socket_file(socket); !place) return tl::unexpected(place.error());
    const auto folder = closed_folder::make(socket);
    if (!folder) return tl::unexpected(folder.error());
    grpc::ServerBuilder builder;
    int bound = 0;
    builder.AddListeningPort("unix:" + folder->socket().string(), grpc::InsecureServerCredentials(), &bound);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
    builder.RegisterService(&service);
    builder.RegisterCallbackGenericService(&images);
    server = builder.BuildAndStart();
    if (server == nullptr || bound == 0) return fail(errc::io, "cannot listen on " + socket.string());
    auto published = publish(folder->socket(), socket);
    shown = published.has_value();
    return published;
  }
};

snapshots_server::snapshots_server(std::unique_ptr<impl> state) : impl_(std::move(state)) {}

result<std::unique_ptr<snapshots_server>> snapshots_server::start(caf::actor_system& system,
                                                                  snapshotter which, login_keeper logins,
                                                                  const containerd_options& options) {
  auto state = std::make_unique<impl>(system, std::move(which), std::move(logins), options);
  auto listening = state->listen(options);
  std::unique_ptr<snapshots_server> made(new snapshots_server(std::move(state)));
  if (!listening) return tl::unexpected(listening.error());
  return made;
}

snapshots_server::~snapshots_server() {
  if (impl_->shown) ::unlink(impl_->socket.c_str());
  impl_->calls.end();
  if (impl_->server != nullptr) impl_->server->Shutdown(std::chrono::system_clock::now());
}

}  // namespace firstlight
