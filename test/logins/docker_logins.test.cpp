#include "logins/docker_logins.hpp"

#include <catch2/catch.hpp>

#include "logins/credential_helper.hpp"
#include "model/base64.hpp"
#include "test/logins/helper_folder.hpp"

namespace firstlight {
namespace {

constexpr const char* says_who_asked = R"(printf '{"Username":"user","Secret":"for %s"}' "$server")";

registry_login by_password(const std::string& user, const std::string& password) {
  return {user, secret_text(password), {}, {}};
}

/// Whether a registry's login is this one.
bool finds(const std::filesystem::path& config, const std::string& host, const registry_login& login,
           const std::string& repository = "app") {
  const auto found = find_docker_login({.config_file = config}, host, repository);
  return found && *found && **found == login;
}

}  // namespace

TEST_CASE("a registry's own credential helper comes before the common one, and both before the file") {
  const helper_folder bench;
  bench.helper("own", says_who_asked);
  bench.helper("common", R"(echo '{"Username":"common","Secret":"c"}')");
  const auto config = bench.file("config.json", R"({"credHelpers":{"one.example":"own"},"credsStore":"common",
    "auths":{"one.example":{"auth":"ZmlsZTpm"},"two.example":{"auth":"ZmlsZTpm"}}})");
  CHECK(finds(config, "one.example", by_password("user", "for one.example")));
  CHECK(finds(config, "two.example", by_password("common", "c")));
}

TEST_CASE("what a helper does not know is looked up in the file") {
  const helper_folder bench;
  bench.helper("common", "echo 'credentials not found in native keychain'; exit 1");
  const auto config =
      bench.file("config.json", R"({"credsStore":"common","auths":{"two.example":{"auth":"ZmlsZTpm"}}})");
  CHECK(finds(config, "two.example", by_password("file", "f")));
  CHECK_FALSE(find_docker_login({.config_file = config}, "three.example").value());
}

TEST_CASE("an entry for a path of a registry comes before one for its host, and is for that path alone") {
  const helper_folder bench;
  const auto auth = [](const std::string& name) {
    return R"({"auth":")" + base64_encode(name + ":p") + "\"}";
  };
  const auto config =
      bench.file("config.json", R"({"auths":{"a.example":)" + auth("host") + R"(,"a.example/team":)" +
                                    auth("team") + R"(,"https://b.example/v1/":)" + auth("old") + "}}");
  CHECK(finds(config, "a.example", by_password("team", "p"), "team/app"));
  CHECK(finds(config, "a.example", by_password("host", "p"), "teams/app"));
  CHECK(finds(config, "b.example", by_password("old", "p"), "v1/app"));
}

TEST_CASE("tokens of a file are taken as what they are") {
  const helper_folder bench;
  const auto config = bench.file(
      "config.json", R"({"auths":{"a.example":{"identitytoken":"i"},"b.example":{"registrytoken":"r"}}})");
  CHECK(finds(config, "a.example", {{}, {}, secret_text("i"), {}}));
  CHECK(finds(config, "b.example", {{}, {}, {}, secret_text("r")}));
}

TEST_CASE("a helper that answers with a token gives an identity token") {
  const helper_folder bench;
  bench.helper("own", R"(echo '{"Username":"<token>","Secret":"t"}')");
  const auto found = ask_credential_helper("own", "one.example", {});
  CHECK((found && *found == registry_login{{}, {}, secret_text("t"), {}}));
}

TEST_CASE("a helper that fails, is not there, says nonsense or nothing is a clear error") {
  const helper_folder bench;
  bench.helper("fails", "echo 'the keychain is locked'; exit 1");
  bench.helper("nonsense", "echo hunter2");
  bench.helper("silent", "exec sleep 100");
  bench.helper("endless", "exec cat /dev/zero");
  bench.helper("closes", "exec >&-; exec sleep 100");
  const auto failed = ask_credential_helper("fails", "one.example", {});
  CHECK(failed.error().code == errc::denied);
  CHECK(failed.error().detail.find("the keychain is locked") != std::string::npos);
  CHECK(ask_credential_helper("absent", "one.example", {}).error().code == errc::denied);
  const auto nonsense = ask_credential_helper("nonsense", "one.example", {});
  CHECK(nonsense.error().code == errc::corrupt);
  CHECK(nonsense.error().detail.find("hunter2") == std::string::npos);
  CHECK(ask_credential_helper("../evil", "one.example", {}).error().code == errc::invalid_argument);
  const helper_limits impatient{.timeout = std::chrono::milliseconds(50)};
  CHECK(ask_credential_helper("silent", "one.example", impatient).error().code == errc::timed_out);
  CHECK(ask_credential_helper("closes", "one.example", impatient).error().code == errc::timed_out);
  CHECK(ask_credential_helper("endless", "one.example", {}).error().code == errc::limit_exceeded);
}

TEST_CASE("a file that is malformed is an error that shows nothing of it") {
  const helper_folder bench;
  const auto config = bench.file("config.json", R"({"auths":{"a.example":{"auth":"hunter2"}}})");
  const auto found = find_docker_login({.config_file = config}, "a.example");
  CHECK(found.error().code == errc::corrupt);
  CHECK(found.error().detail.find("hunter2") == std::string::npos);
  CHECK(find_docker_login({.config_file = bench.path()}, "a.example").error().code == errc::io);
  CHECK_FALSE(find_docker_login({.config_file = bench.path() / "absent"}, "a.example").value());
}

}  // namespace firstlight
