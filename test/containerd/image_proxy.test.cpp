#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <mutex>

#include "actors/shutdown.hpp"
#include "containerd/pull_secret.hpp"
#include "containerd/snapshots_server.hpp"
#include "model/base64.hpp"
#include "schemas/containerd/cri.grpc.pb.h"
#include "test/harness/eventually.hpp"
#include "test/harness/temporary_folder.hpp"

/// Kubelet asks the node for images, and the node asks containerd.
namespace firstlight {
namespace {

namespace api = runtime::v1;
constexpr std::chrono::seconds call_limit{60};

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  REQUIRE(buffer.Dump(&slices).ok());
  std::string all;
  for (const auto& slice : slices) all.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return all;
}

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

/// What a container runtime does with a call.
enum class runtime_does : std::uint8_t { echo, refuse, hold };

/// A container runtime that sends back what it was sent, or refuses, or never answers.
class echoing_runtime final : public grpc::CallbackGenericService {
 public:
  std::atomic<runtime_does> does{runtime_does::echo};
  std::atomic<int> held{0};
  std::vector<std::string> methods;  // one call after the other

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* call) override {
    methods.push_back(call->method());
    struct echo : grpc::ServerGenericBidiReactor {
      echo(runtime_does what, std::atomic<int>& counted) : does(what), held(counted) { StartRead(&message); }
      void OnReadDone(bool) override {
        if (does == runtime_does::echo) StartWrite(&message);
        if (does == runtime_does::refuse) Finish({grpc::StatusCode::NOT_FOUND, "no such image"});
        if (does == runtime_does::hold) ++held;
      }
      void OnWriteDone(bool) override { Finish(grpc::Status::OK); }
      void OnCancel() override {
        if (does == runtime_does::hold) Finish(grpc::Status::CANCELLED);
      }
      void OnDone() override { delete this; }
      const runtime_does does;
      std::atomic<int>& held;
      grpc::ByteBuffer message;
    };
    return new echo(does, held);
  }
};

struct noted_logins {
  std::mutex mutex;
  std::vector<remember_login> all;
};

login_keeper::behavior_type note_logins(login_keeper::pointer, std::shared_ptr<noted_logins> into) {
  return {[](const find_login&) { return found_login{}; },
          [into](const remember_login& news) {
            const std::lock_guard lock(into->mutex);
            into->all.push_back(news);
            return login_remembered{};
          },
          [](const login_refused&) {}};
}

struct proxy_bench {
  temporary_folder folder;
  containerd_options options{.socket = folder.path() / "node.sock",
                             .address = folder.path() / "containerd.sock",
                             .reconnect_wait = std::chrono::milliseconds(100)};
  std::unique_ptr<echoing_runtime> runtime;
  std::unique_ptr<grpc::Server> server;
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::shared_ptr<noted_logins> logins = std::make_shared<noted_logins>();
  login_keeper keeper = system.spawn(note_logins, logins);
  std::unique_ptr<snapshots_server> node;
  grpc::GenericStub kubelet{nullptr};

  proxy_bench() {
    start_containerd();
    auto started = snapshots_server::start(system, {}, keeper, options);
    REQUIRE(started);
    node = std::move(*started);
    kubelet = grpc::GenericStub(
        grpc::CreateChannel("unix:" + options.socket.string(), grpc::InsecureChannelCredentials()));
  }
  ~proxy_bench() {
    node.reset();
    end_actors(system, keeper);
    stop_containerd();
  }

  void start_containerd() {
    runtime = std::make_unique<echoing_runtime>();
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + options.address.string(), grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(runtime.get());
    server = builder.BuildAndStart();
    REQUIRE(server != nullptr);
  }
  void stop_containerd() {
    if (server != nullptr) server->Shutdown(std::chrono::system_clock::now());
    server.reset();
  }

  std::pair<grpc::Status, std::string> call(const std::string& method, const std::string& bytes) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + call_limit);
    const auto request = buffer_of(bytes);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> done;
    kubelet.UnaryCall(&context, method, {}, &request, &response,
                      [&](const grpc::Status& status) { done.set_value(status); });
    const auto status = done.get_future().get();
    return {status, status.ok() ? bytes_of(response) : ""};
  }
};

std::string pull_of(const std::string& image, const api::AuthConfig& auth) {
  api::PullImageRequest request;
  request.mutable_image()->set_image(image);
  *request.mutable_auth() = auth;
  return request.SerializeAsString();
}

registry_login secret_of(const std::string& image, const api::AuthConfig& auth) {
  const auto read = read_pull_secret(buffer_of(pull_of(image, auth)));
  REQUIRE(read);
  CHECK(read->reference == image);
  return read->login ? *read->login : registry_login{};
}

}  // namespace

TEST_CASE("what kubelet asks of images goes to containerd byte by byte, and its answer back") {
  proxy_bench bench;
  // A field that no version of the interface has.
  const auto unknown = std::string("\xfa\x3f\x05hello", 8);
  for (const std::string version : {"v1", "v1alpha2"})
    for (const std::string method : {"ListImages", "PullImage", "ImageFsInfo"}) {
      const auto name = "/runtime." + version + ".ImageService/" + method;
      const auto [status, bytes] = bench.call(name, unknown);
      INFO(status.error_message());
      CHECK(status.ok());
      CHECK(bytes == unknown);
      CHECK(bench.runtime->methods.back() == name);
    }
  bench.runtime->does = runtime_does::refuse;
  const auto refused = bench.call("/runtime.v1.ImageService/ImageStatus", "").first;
  CHECK(refused.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(refused.error_message() == "no such image");
}

TEST_CASE("what is not of images does not go through the node") {
  proxy_bench bench;
  const auto status = bench.call("/runtime.v1.RuntimeService/RemovePodSandbox", "").first;
  CHECK(status.error_code() == grpc::StatusCode::UNIMPLEMENTED);
  CHECK(bench.runtime->methods.empty());
}

TEST_CASE("without containerd kubelet gets an error at once, and is served when containerd is there again") {
  proxy_bench bench;
  const auto list = [&] { return bench.call("/runtime.v1.ImageService/ListImages", "").first; };
  CHECK(list().ok());
  bench.stop_containerd();
  const auto refused = list();
  CHECK(refused.error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(refused.error_message().starts_with("containerd at " + bench.options.address.string() + " "));
  bench.start_containerd();
  CHECK(eventually([&] { return list().ok(); }));
}

TEST_CASE("a call that containerd had begun fails when containerd goes away") {
  proxy_bench bench;
  bench.runtime->does = runtime_does::hold;
  auto pulling = std::async(std::launch::async,
                            [&] { return bench.call("/runtime.v1.ImageService/PullImage", "").first; });
  CHECK(eventually([&] { return bench.runtime->held == 1; }));
  bench.stop_containerd();
  CHECK_FALSE(pulling.get().ok());
}

TEST_CASE("the login of a pull is known before containerd is asked, and one without takes it away") {
  proxy_bench bench;
  api::AuthConfig auth;
  auth.set_username("ann");
  auth.set_password("hunter2");
  CHECK(bench.call("/runtime.v1.ImageService/PullImage", pull_of("host.example/app:1", auth)).first.ok());
  CHECK(bench.call("/runtime.v1alpha2.ImageService/PullImage", pull_of("host.example/app:2", {})).first.ok());
  const std::lock_guard lock(bench.logins->mutex);
  REQUIRE(bench.logins->all.size() == 2);
  CHECK(bench.logins->all[0].reference == "host.example/app:1");
  CHECK((*bench.logins->all[0].login == registry_login{"ann", secret_text("hunter2"), {}, {}}));
  CHECK(bench.logins->all[1].reference == "host.example/app:2");
  CHECK_FALSE(bench.logins->all[1].login);
}

TEST_CASE("a pull secret is read in all its forms, and for its own registry only") {
  api::AuthConfig auth;
  auth.set_auth(base64_encode("ann:hunter2"));
  const registry_login ann{"ann", secret_text("hunter2"), {}, {}};
  CHECK((secret_of("host.example/app", auth) == ann));
  auth.set_server_address("https://host.example/v1/");
  CHECK((secret_of("host.example/app", auth) == ann));
  CHECK(is_empty(secret_of("other.example/app", auth)));
  auth.set_server_address("https://index.docker.io/v1/");
  CHECK((secret_of("redis", auth) == ann));
  api::AuthConfig token;
  token.set_identity_token("t");
  CHECK((secret_of("host.example/app", token) == registry_login{{}, {}, secret_text("t"), {}}));
  api::AuthConfig bearer;
  bearer.set_registry_token("t");
  CHECK((secret_of("host.example/app", bearer) == registry_login{{}, {}, {}, secret_text("t")}));
  const auto nonsense = read_pull_secret(buffer_of("nonsense"));
  CHECK(nonsense.error().code == errc::corrupt);
}

}  // namespace firstlight
