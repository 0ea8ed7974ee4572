#include "model/registry_pattern.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

/// A label of a host name, without dots.
rc::Gen<std::string> label() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcdefgh0123-"))));
}

rc::Gen<std::vector<std::string>> labels() {
  return rc::gen::suchThat(rc::gen::container<std::vector<std::string>>(label()),
                           [](const auto& all) { return !all.empty() && all.size() < 6; });
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ".") + part;
  return all;
}

}  // namespace

TEST_CASE("a pattern matches as kubelet's documentation says") {
  CHECK(
      pattern_matches("123.dkr.ecr.us-east-1.amazonaws.com", "123.dkr.ecr.us-east-1.amazonaws.com/team/app"));
  CHECK(pattern_matches("*.azurecr.io", "me.azurecr.io/app"));
  CHECK(pattern_matches("*.dkr.ecr.*.amazonaws.com", "1.dkr.ecr.eu.amazonaws.com/a/b"));
  CHECK(pattern_matches("*.*.registry.io", "a.b.registry.io/app"));
  CHECK(pattern_matches("gcr.io", "gcr.io/app"));
  CHECK(pattern_matches("registry.io:8080/path", "registry.io:8080/path/app"));
  CHECK(pattern_matches("app*.k8s.io", "app5.k8s.io/x"));
  CHECK(pattern_matches("k8s.*", "k8s.io/x"));
  CHECK(pattern_matches("a?c.io", "abc.io/x"));
  CHECK_FALSE(pattern_matches("*.io", "a.b.io/x"));
  CHECK_FALSE(pattern_matches("*.azurecr.io", "azurecr.io/x"));
  CHECK_FALSE(pattern_matches("gcr.io", "gcr.io:443/app"));
  CHECK_FALSE(pattern_matches("registry.io:8080/path", "registry.io:8080/other"));
  CHECK_FALSE(pattern_matches("registry.io:80*", "registry.io:8080/other"));
  CHECK_FALSE(pattern_matches("*", "gcr.io/app"));
  CHECK_FALSE(pattern_matches("a?c.io", "ac.io/x"));
}

TEST_CASE("every host matches itself, and any of its labels may be a star") {
  CHECK(rc::check([] {
    auto host = *labels();
    const auto image = joined(host) + "/team/app";
    RC_ASSERT(pattern_matches(joined(host), image));
    host[*rc::gen::inRange<std::size_t>(0, host.size())] = "*";
    RC_ASSERT(pattern_matches(joined(host), image));
  }));
}

TEST_CASE("no pattern reaches over a dot: hosts of another depth never match") {
  CHECK(rc::check([] {
    const auto host = *labels();
    const auto stars = *rc::gen::suchThat(rc::gen::inRange<std::size_t>(1, 8),
                                          [&](std::size_t count) { return count != host.size(); });
    RC_ASSERT(!pattern_matches(joined(std::vector<std::string>(stars, "*")), joined(host) + "/a"));
  }));
}

TEST_CASE("arbitrary texts neither match themselves wrongly nor end the program") {
  CHECK(rc::check([](const std::string& pattern, const std::string& image) {
    static_cast<void>(pattern_matches(pattern, image));
    static_cast<void>(registry_of_server(pattern));
    RC_ASSERT(best_pattern({pattern}, image) <= 1);
  }));
}

TEST_CASE("the pattern that says most of an image is taken") {
  const std::vector<std::string> all{"*.registry.io", "a.registry.io", "a.registry.io/team", "b.registry.io"};
  CHECK(best_pattern(all, "a.registry.io/team/app") == 2);
  CHECK(best_pattern(all, "a.registry.io/other") == 1);
  CHECK(best_pattern(all, "c.registry.io/app") == 0);
  CHECK(best_pattern(all, "other.io/app") == all.size());
  CHECK(best_pattern({"https://index.docker.io/v1/"}, "docker.io/library/redis") == 0);
  CHECK(best_pattern({"https://a.io/v2/team"}, "a.io/team/app") == 0);
}

TEST_CASE("a server is its registry, whatever scheme and version are written") {
  CHECK(registry_of_server("https://index.docker.io/v1/") == "docker.io");
  CHECK(registry_of_server("registry-1.docker.io") == "docker.io");
  CHECK(registry_of_server("http://a.io:5000/v2/") == "a.io:5000");
  CHECK(registry_of_server("a.io") == "a.io");
}
