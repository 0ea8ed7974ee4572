#include <catch2/catch.hpp>
#include <future>

#include "test/containerd/snapshots_bench.hpp"

/// What clients get that ask for the same at once.
namespace firstlight {
namespace {

using code = grpc::StatusCode;

/// By a connection of its own.
code prepare_as_another(const std::filesystem::path& socket, const std::string& key,
                        const std::string& parent) {
  grpc::ChannelArguments alone;
  alone.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto service = api::Snapshots::NewStub(
      grpc::CreateCustomChannel("unix:" + socket.string(), grpc::InsecureChannelCredentials(), alone));
  grpc::ClientContext context;
  api::PrepareSnapshotRequest request;
  request.set_key(key);
  request.set_parent(parent);
  api::PrepareSnapshotResponse response;
  return service->Prepare(&context, request, &response).error_code();
}

std::ptrdiff_t folders_of(const snapshots_bench& bench) {
  return std::distance(std::filesystem::directory_iterator(bench.snapshots_folder()), {});
}

}  // namespace

TEST_CASE("of many clients that prepare one key at once one gets it, and there is one folder") {
  snapshots_bench bench;
  REQUIRE(bench.prepare("making base").ok());
  REQUIRE(bench.commit("base", "making base").ok());
  for (const std::string parent : {"", "base"}) {
    CAPTURE(parent);
    const auto key = "above " + parent;
    const auto before = folders_of(bench);
    std::vector<std::future<code>> answers;
    for (int client = 0; client < 16; ++client)
      answers.push_back(std::async(std::launch::async, prepare_as_another, bench.socket(), key, parent));
    int made = 0;
    for (auto& answer : answers) {
      const auto said = answer.get();
      if (said == code::OK) ++made;
      CHECK((said == code::OK || said == code::ALREADY_EXISTS));
    }
    CHECK(made == 1);
    CHECK(folders_of(bench) == before + 1);
    api::Info info;
    REQUIRE(bench.stat(key, &info).ok());
    CHECK(info.parent() == parent);
    REQUIRE(bench.remove(key).ok());
    CHECK(folders_of(bench) == before);
  }
}

}  // namespace firstlight
