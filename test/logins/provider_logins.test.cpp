#include "logins/provider_logins.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "test/logins/helper_folder.hpp"

namespace firstlight {
namespace {

const std::string version = "credentialprovider.kubelet.k8s.io/v1";

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// Providers whose programs note each question.
struct provider_bench {
  helper_folder folder;
  login_options options;
  instant now{};

  provider_bench() {
    options.provider_config = folder.path() / "providers.yaml";
    options.provider_folder = folder.path();
  }
  void configure(const std::vector<std::pair<std::string, std::string>>& providers) const {
    std::string all = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n";
    for (const auto& [name, pattern] : providers)
      all += "  - name: " + name + "\n    matchImages: [\"" + pattern +
             "\"]\n    defaultCacheDuration: 10s\n    apiVersion: " + version +
             "\n    env: [{name: NOTES, value: " + (folder.path() / (name + ".notes")).string() + "}]\n";
    static_cast<void>(folder.file("providers.yaml", all));
  }
  void answers(const std::string& name, const std::string& scope, const std::string& auth,
               const std::string& more = "") const {
    folder.program(name,
                   "cat >>$NOTES; echo >>$NOTES\ncat "
                   "<<'END'\n{\"kind\":\"CredentialProviderResponse\",\"apiVersion\":\"" +
                       version + "\",\"cacheKeyType\":\"" + scope + "\"" + more + ",\"auth\":{" + auth +
                       "}}\nEND");
  }
  [[nodiscard]] std::size_t questions(const std::string& name) const {
    const auto notes = text_of(folder.path() / (name + ".notes"));
    return static_cast<std::size_t>(std::count(notes.begin(), notes.end(), '\n'));
  }
};

bool is(const result<shared_login>& found, const std::string& user, const std::string& password) {
  INFO((found ? "" : found.error().detail));
  REQUIRE(found);
  return *found && **found == registry_login{user, secret_text(password), {}, {}};
}

}  // namespace

TEST_CASE("a provider is asked for the images that its patterns match, and by kubelet's words") {
  provider_bench bench;
  bench.configure({{"one", "*.one.example"}});
  bench.answers("one", "Image", R"("*.one.example":{"username":"u","password":"p"})");
  provider_logins logins(bench.options);
  CHECK_FALSE(logins.find("other.example/app", bench.now).value());
  CHECK(bench.questions("one") == 0);
  CHECK(is(logins.find("a.one.example/team/app", bench.now), "u", "p"));
  CHECK(text_of(bench.folder.path() / "one.notes") ==
        R"({"apiVersion":")" + version +
            R"(","image":"a.one.example/team/app","kind":"CredentialProviderRequest"})"
            "\n");
}

TEST_CASE("an answer is kept for what it is for, as long as it says") {
  provider_bench bench;
  bench.configure({{"one", "*.example"}});
  provider_logins logins(bench.options);
  const auto ask = [&](const std::string& image) { return is(logins.find(image, bench.now), "u", "p"); };
  const std::string all = R"("*.example":{"username":"u","password":"p"})";
  SECTION("of an image") {
    bench.answers("one", "Image", all);
    CHECK((ask("a.example/1") && ask("a.example/1") && bench.questions("one") == 1));
    CHECK((ask("a.example/2") && bench.questions("one") == 2));
    bench.now += std::chrono::seconds(10);  // the file's default
    CHECK((ask("a.example/1") && bench.questions("one") == 3));
  }
  SECTION("of a registry") {
    bench.answers("one", "Registry", all, R"(,"cacheDuration":"1m")");
    CHECK((ask("a.example/1") && ask("a.example/2") && bench.questions("one") == 1));
    CHECK((ask("b.example/1") && bench.questions("one") == 2));
    bench.now += std::chrono::seconds(59);
    CHECK((ask("a.example/1") && bench.questions("one") == 2));
    bench.now += std::chrono::seconds(1);
    CHECK((ask("a.example/1") && bench.questions("one") == 3));
  }
  SECTION("of all") {
    bench.answers("one", "Global", all);
    CHECK((ask("a.example/1") && ask("b.example/1") && bench.questions("one") == 1));
  }
  SECTION("not at all") {
    bench.answers("one", "Global", all, R"(,"cacheDuration":"0s")");
    CHECK((ask("a.example/1") && ask("a.example/1") && bench.questions("one") == 2));
  }
}

TEST_CASE("the next provider is asked when one has no login or fails") {
  provider_bench bench;
  bench.configure({{"broken", "*.example"}, {"none", "*.example"}, {"good", "*.example"}});
  bench.folder.program("broken", "echo hunter2; exit 1");
  bench.answers("none", "Image", "");
  bench.answers("good", "Image", R"("a.example":{"username":"u","password":"p"})");
  provider_logins logins(bench.options);
  CHECK(is(logins.find("a.example/app", bench.now), "u", "p"));
  const auto other = logins.find("b.example/app", bench.now);
  REQUIRE_FALSE(other);
  CHECK(other.error().detail == "credential provider broken: it ends with 1");
}

TEST_CASE("a provider that does not answer in time is given up, and one that says nonsense is an error") {
  provider_bench bench;
  bench.configure({{"one", "*.example"}});
  bench.options.provider.timeout = std::chrono::milliseconds(50);
  provider_logins logins(bench.options);
  bench.folder.program("one", "exec sleep 100");
  CHECK(logins.find("a.example/app", bench.now).error().code == errc::timed_out);
  bench.options.provider.timeout = std::chrono::seconds(10);
  provider_logins patient(bench.options);
  bench.folder.program("one", "echo hunter2");
  const auto nonsense = patient.find("a.example/app", bench.now);
  CHECK(nonsense.error().code == errc::corrupt);
  CHECK(nonsense.error().detail.find("hunter2") == std::string::npos);
}

TEST_CASE("a file of providers that is not there or malformed is an error; none named is none") {
  provider_bench bench;
  CHECK(provider_logins(bench.options).find("a.example/app", bench.now).error().code == errc::not_found);
  static_cast<void>(bench.folder.file("providers.yaml", "kind: Pod"));
  CHECK(provider_logins(bench.options).find("a.example/app", bench.now).error().code == errc::corrupt);
  CHECK_FALSE(provider_logins(login_options{}).find("a.example/app", bench.now).value());
}

}  // namespace firstlight
