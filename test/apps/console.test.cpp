#include <catch2/catch.hpp>

#include "apps/console/console_words.hpp"
#include "apps/live_view.hpp"

using namespace firstlight;

namespace {

using words = std::vector<std::string>;

words complete(const words& before, const std::string& typed) {
  const auto refuse = [](const auto&) -> result<int> { return 1; };
  const auto tree = make_command_tree({refuse, refuse, refuse, refuse, refuse});
  return completions(
      tree->root(), before, typed,
      {.images = {"docker.io/library/redis:7", "docker.io/library/nginx:1"}, .mounts = {"cache"}});
}

}  // namespace

TEST_CASE("a line is split as a shell does") {
  CHECK(split_words("pull  redis:7\t--json").value() == words{"pull", "redis:7", "--json"});
  CHECK(split_words(R"(run "a b" 'c "d' e\ f '')").value() == words{"run", "a b", "c \"d", "e f", ""});
  CHECK(split_words("   ").value().empty());
  CHECK(split_words("run 'a").error().code == errc::invalid_argument);
}

TEST_CASE("commands, options, images and mounts complete where they stand") {
  CHECK(complete({}, "trac") == words{"trace"});
  CHECK(complete({"trace"}, "s") == words{"score", "show"});
  CHECK(complete({"trace", "show"}, "docker.io/library/n") == words{"docker.io/library/nginx:1"});
  CHECK(complete({"pull"}, "docker.io/library/r") == words{"docker.io/library/redis:7"});
  CHECK(complete({"umount"}, "") == words{"cache"});
  CHECK(complete({"wait"}, "c") == words{"cache"});
  CHECK(complete({"pull"}, "--mount") == words{"--mountable"});
  CHECK(complete({"pull"}, "c").empty());
  CHECK(complete({}, "exi") == words{"exit"});
  CHECK(complete({}, "hel") == words{"help"});
  CHECK(complete({"help", "trace"}, "sh") == words{"show"});
}

TEST_CASE("only where names of images or mounts stand a daemon is asked for them") {
  const auto refuse = [](const auto&) -> result<int> { return 1; };
  const auto tree = make_command_tree({refuse, refuse, refuse, refuse, refuse});
  for (const auto& before : {words{"pull"}, words{"umount"}, words{"trace", "diff"}, words{"wait"}})
    CHECK(takes_names(tree->root(), before));
  for (const auto& before : {words{}, words{"trace"}, words{"image", "ls"}, words{"status"}})
    CHECK_FALSE(takes_names(tree->root(), before));
}

TEST_CASE("a bar is as long as the share that is there") {
  CHECK(progress_bar(0, 0, 4) == "[....]");
  CHECK(progress_bar(1, 2, 4) == "[##..]");
  CHECK(progress_bar(5, 2, 4) == "[####]");
}

TEST_CASE("the live view shows what arrives and who waits, and nothing that steers a terminal") {
  admin_node_status status;
  status.name = "n1";
  status.link.state = "up";
  status.deliveries = {
      {.id = 3, .reference = "redis:7", .state = "receiving", .bytes_stored = 50, .bytes_total = 100},
      {.id = 2, .reference = "old:1", .state = "complete"}};
  admin_mount mount;
  mount.name = "cache";
  mount.waiting = {{.pid = 42, .path = "usr/bin/\033[2Jredis", .waiting_ms = 1500, .cause = "the link"}};
  status.mounts = {mount};
  const auto view = live_view(status, 1'700'000'000);
  CHECK(view.find("redis:7") != std::string::npos);
  CHECK(view.find("[##########..........]") != std::string::npos);
  CHECK(view.find("old:1") == std::string::npos);
  CHECK(view.find("process 42") != std::string::npos);
  CHECK(view.find('\033') == std::string::npos);
}
