#include "logins/provider_config.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace firstlight;
using std::chrono::milliseconds;

namespace {

std::string config_with(const std::string& provider) {
  return "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n" + provider;
}

const std::string whole = R"(  - name: ecr
    matchImages:
      - "*.dkr.ecr.*.amazonaws.com"
      - registry.example:8080/path
    defaultCacheDuration: "12h"
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [get, --verbose]
    env:
      - {name: AWS_PROFILE, value: example}
)";

errc refused(const std::string& text) {
  const auto read = parse_provider_config(text, {});
  return read ? errc::io : read.error().code;
}

}  // namespace

TEST_CASE("kubelet's file of credential providers is read as kubelet reads it") {
  const auto read = parse_provider_config(config_with(whole), {});
  INFO((read ? "" : read.error().detail));
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  const auto& provider = read->front();
  CHECK(provider.name == "ecr");
  CHECK(provider.match_images ==
        std::vector<std::string>{"*.dkr.ecr.*.amazonaws.com", "registry.example:8080/path"});
  CHECK(provider.cache_duration == std::chrono::hours(12));
  CHECK(provider.api_version == "credentialprovider.kubelet.k8s.io/v1");
  CHECK(provider.arguments == std::vector<std::string>{"get", "--verbose"});
  CHECK(provider.environment == std::vector<std::pair<std::string, std::string>>{{"AWS_PROFILE", "example"}});
}

TEST_CASE("what is no such file is refused with a reason") {
  CHECK(refused("") == errc::corrupt);
  CHECK(refused("a: [") == errc::corrupt);
  CHECK(refused("kind: Pod\napiVersion: v1") == errc::corrupt);
  CHECK(refused(config_with("  - {name: ../evil, matchImages: [a.io], defaultCacheDuration: 1h, "
                            "apiVersion: credentialprovider.kubelet.k8s.io/v1}\n")) == errc::corrupt);
  CHECK(refused(config_with("  - {name: a, matchImages: [], defaultCacheDuration: 1h, "
                            "apiVersion: credentialprovider.kubelet.k8s.io/v1}\n")) == errc::corrupt);
  CHECK(refused(
            config_with("  - {name: a, matchImages: [a.io], defaultCacheDuration: 1h, apiVersion: v9}\n")) ==
        errc::corrupt);
  CHECK(refused(config_with("  - {name: a, matchImages: [a.io], defaultCacheDuration: soon, "
                            "apiVersion: credentialprovider.kubelet.k8s.io/v1}\n")) == errc::corrupt);
  CHECK(
      refused(config_with("  - {name: a, matchImages: [a.io], defaultCacheDuration: 1h, tokenAttributes: {}, "
                          "apiVersion: credentialprovider.kubelet.k8s.io/v1}\n")) == errc::unsupported);
  login_options few;
  few.providers_max = 1;
  CHECK(parse_provider_config(config_with(whole + whole), few).error().code == errc::limit_exceeded);
}

TEST_CASE("durations are those of Go") {
  CHECK(parse_go_duration("12h").value() == std::chrono::hours(12));
  CHECK(parse_go_duration("1h30m0s").value() == std::chrono::minutes(90));
  CHECK(parse_go_duration("1.5s").value() == milliseconds(1500));
  CHECK(parse_go_duration("250ms").value() == milliseconds(250));
  CHECK(parse_go_duration("0").value() == milliseconds(0));
  CHECK(parse_go_duration("0s").value() == milliseconds(0));
  for (const auto* bad : {"", "5", "h", "5 m", "-1s", "1..5s", ".s", "99999999999999999h"})
    CHECK(parse_go_duration(bad).error().code == errc::corrupt);
}

TEST_CASE("whole hours, minutes and seconds are kept exactly") {
  CHECK(rc::check([] {
    const auto h = *rc::gen::inRange(0, 1000);
    const auto m = *rc::gen::inRange(0, 60);
    const auto s = *rc::gen::inRange(0, 60);
    const auto text = std::to_string(h) + "h" + std::to_string(m) + "m" + std::to_string(s) + "s";
    RC_ASSERT(parse_go_duration(text).value() ==
              std::chrono::hours(h) + std::chrono::minutes(m) + std::chrono::seconds(s));
  }));
}
