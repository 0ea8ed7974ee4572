#include "storage/oci/docker_credentials.hpp"

#include <sys/stat.h>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "storage/oci/credential_helper.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

/// A folder of helpers that is first in PATH while this lives, and a Docker config file.
class helper_bench {
 public:
  helper_bench() : path_before_(std::getenv("PATH")) {
    setenv("PATH", (folder_.path().string() + ":" + path_before_).c_str(), 1);
  }
  ~helper_bench() { setenv("PATH", path_before_.c_str(), 1); }
  helper_bench(const helper_bench&) = delete;
  helper_bench& operator=(const helper_bench&) = delete;

  /// A helper that carries `script` out with the server's name in $server.
  void helper(const std::string& name, const std::string& script) const {
    const auto file = (folder_.path() / ("docker-credential-" + name)).string();
    std::ofstream(file) << "#!/bin/sh\n[ \"$1\" = get ] || exit 9\nread -r server\n" << script << "\n";
    chmod(file.c_str(), 0755);
  }
  [[nodiscard]] std::filesystem::path config(const std::string& json) const {
    const auto file = folder_.path() / "config.json";
    std::ofstream(file) << json;
    return file;
  }

 private:
  temporary_folder folder_;
  std::string path_before_;
};

constexpr const char* says_who_asked = R"(printf '{"Username":"user","Secret":"for %s"}' "$server")";

}  // namespace

TEST_CASE("a registry's own credential helper comes before the common one, and both before the file") {
  const helper_bench bench;
  bench.helper("own", says_who_asked);
  bench.helper("common", R"(echo '{"Username":"common","Secret":"c"}')");
  const auto config = bench.config(R"({"credHelpers":{"one.example":"own"},"credsStore":"common",
    "auths":{"one.example":{"auth":"ZmlsZTpm"},"two.example":{"auth":"ZmlsZTpm"}}})");
  CHECK(find_credentials(config, "one.example", {}).value() ==
        registry_credentials{"user", "for one.example", {}});
  CHECK(find_credentials(config, "two.example", {}).value() == registry_credentials{"common", "c", {}});
}

TEST_CASE("what a helper does not know is looked up in the file") {
  const helper_bench bench;
  bench.helper("common", "echo 'credentials not found in native keychain'; exit 1");
  const auto config = bench.config(R"({"credsStore":"common","auths":{"two.example":{"auth":"ZmlsZTpm"}}})");
  CHECK(find_credentials(config, "two.example", {}).value() == registry_credentials{"file", "f", {}});
  CHECK_FALSE(find_credentials(config, "three.example", {}).value());
}

TEST_CASE("a helper that answers with a token gives an identity token") {
  const helper_bench bench;
  bench.helper("own", R"(echo '{"Username":"<token>","Secret":"t"}')");
  CHECK(ask_credential_helper("own", "one.example", {}).value() == registry_credentials{{}, {}, "t"});
}

TEST_CASE("a helper that fails, is not there, says nonsense or nothing is a clear error") {
  const helper_bench bench;
  bench.helper("fails", "echo 'the keychain is locked'; exit 1");
  bench.helper("nonsense", "echo nonsense");
  bench.helper("silent", "exec sleep 100");
  const auto failed = ask_credential_helper("fails", "one.example", {});
  CHECK(failed.error().code == errc::denied);
  CHECK(failed.error().detail.find("the keychain is locked") != std::string::npos);
  CHECK(ask_credential_helper("absent", "one.example", {}).error().code == errc::denied);
  CHECK(ask_credential_helper("nonsense", "one.example", {}).error().code == errc::corrupt);
  CHECK(ask_credential_helper("../evil", "one.example", {}).error().code == errc::invalid_argument);
  registry_limits impatient;
  impatient.credential_helper_timeout = std::chrono::milliseconds(50);
  CHECK(ask_credential_helper("silent", "one.example", impatient).error().code == errc::timed_out);
}

}  // namespace firstlight
