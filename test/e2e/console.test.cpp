#include <algorithm>
#include <csignal>
#include <sstream>

#include "test/e2e/other_machine.hpp"
#include "test/e2e/shell_image.hpp"
#include "test/e2e/terminal.hpp"

namespace firstlight {
namespace {

std::string console_command(cluster& all) {
  return command_for_terminal(all, "console");
}

/// All events that a program with --follow --json has told so far: number and kind.
std::vector<std::pair<int, std::string>> told(const running_program& follower) {
  std::vector<std::pair<int, std::string>> events;
  std::istringstream lines(follower.output());
  for (std::string line; std::getline(lines, line) && !lines.eof();) {  // the last one may not be whole
    const auto said = nlohmann::json::parse(line);
    for (const auto& one : said["events"])
      events.emplace_back(one["number"].get<int>(), one["kind"].get<std::string>());
  }
  return events;
}

bool await_told(const running_program& follower, const std::string& kind) {
  return eventually([&] {
    const auto events = told(follower);
    return std::any_of(events.begin(), events.end(), [&](const auto& one) { return one.second == kind; });
  });
}

/// Where a console is led to: "--hub" or "--node", HOST:PORT, and the certificate by which.
struct far_daemon {
  std::string option;
  std::string address;
  std::string certificate;
};

std::vector<std::string> remote_console(cluster& all, const far_daemon& to) {
  const auto pki = all.folder() / "pki";
  return {cluster::program(),
          "console",
          to.option,
          to.address,
          "--ca",
          (pki / "ca.crt").string(),
          "--certificate",
          (pki / (to.certificate + ".crt")).string(),
          "--key",
          (pki / (to.certificate + ".key")).string()};
}

/// One command by such a console; it has ended.
std::unique_ptr<running_program> by_console(cluster& all, const far_daemon& to,
                                            const std::vector<std::string>& command) {
  auto arguments = remote_console(all, to);
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), command.begin(), command.end());
  auto program = all.run(arguments);
  REQUIRE(program->wait(std::chrono::seconds(30)));
  return program;
}

void check_refused(running_program& program, const std::string& why) {
  CHECK(program.wait(std::chrono::seconds(1)) == program_end{6, 0});
  CHECK(program.output().empty());
  CHECK(program.errors() == "firstlight: " + why + "\n");
}

std::string in_one_line(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += word + " ";
  return line;
}

}  // namespace

TEST_CASE("the console completes commands, images and mounts, and does what is typed") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  all.mount("streamed:1", "cache-of-mine");
  terminal screen(all, console_command(all));
  REQUIRE(screen.shows("firstlight>"));
  screen.type("stat");
  screen.press("Tab");
  screen.press("Enter");
  CHECK(screen.shows("hub 127.0.0.1"));
  screen.type("sess");
  screen.press("Tab");
  screen.press("Enter");
  CHECK(screen.shows("WINDOW"));
  screen.type("image show docker.io/library/str");
  screen.press("Tab");
  screen.press("Enter");
  CHECK(screen.shows("manifest   sha256:"));
  screen.type("umount cache");
  screen.press("Tab");
  screen.press("Enter");
  CHECK(screen.shows("unmounted cache-of-mine"));
  CHECK(all.mounts().empty());
  screen.type("umount cach");
  screen.press("C-u");
  screen.type("nonsense");
  screen.press("Enter");
  CHECK(screen.shows("there is no command 'nonsense'"));
  screen.press("Up");
  screen.press("Up");
  CHECK(screen.shows("firstlight> umount cache-of-mine"));
  screen.press("C-u");
  screen.type("exit");
  screen.press("Enter");
  CHECK(eventually(
      [&] { return text_of(all.folder() / ".firstlight_history").find("image") != std::string::npos; }));
}

TEST_CASE("a live view in the console is drawn anew until ^C leads back to the prompt") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  terminal screen(all, console_command(all));
  const auto times_shown = [&](const std::string& text) {
    const auto all_of_it = screen.screen();
    int times = 0;
    for (auto at = all_of_it.find(text); at != std::string::npos; at = all_of_it.find(text, at + 1)) ++times;
    return times;
  };
  REQUIRE(screen.shows("firstlight>"));
  for (const std::string daemon : {"node", "hub"}) {
    screen.enter(daemon == "node" ? "top --interval 100ms" : "top --interval 100ms --hub");
    REQUIRE(screen.shows(daemon == "node" ? "MISSES" : "IN FLIGHT"));
    if (daemon == "node") {
      all.mount("streamed:1", "appears-later");
      CHECK(screen.shows("appears-later"));
      check_good(all.on_node({"umount", "appears-later"}));
      CHECK(eventually([&] { return times_shown("appears-later") == 0; }));
    }
    CHECK(times_shown("firstlight>") == 0);
    CHECK(times_shown(daemon == "node" ? "MISSES" : "IN FLIGHT") <= 1);  // none while it is drawn
    screen.press("C-c");
    CHECK(screen.shows("firstlight>"));
  }
  screen.enter("log-level info");
  CHECK(screen.shows("log level info"));
}

TEST_CASE("the console carries out what operators do") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  terminal screen(all, console_command(all));
  const auto await_prompt = [&] {
    REQUIRE(eventually([&] {
      const auto shown = screen.screen();
      return shown.substr(0, shown.find_last_not_of(" \n") + 1).ends_with("firstlight>");
    }));
  };
  await_prompt();
  screen.enter("pull streamed:1");
  REQUIRE(eventually([&] {
    const auto images = all.on_node({"ls"}).reply["images"];
    return images.size() == 1 && images[0]["complete"] == true;
  }));
  await_prompt();
  screen.enter("trace off streamed:1");
  CHECK(screen.shows("recording off"));
  await_prompt();
  screen.enter("trace on streamed:1");
  CHECK(screen.shows("recording on"));
  await_prompt();
  screen.enter("layer register work");
  CHECK(screen.shows("REFERENCES"));
  await_prompt();
  screen.enter("layer complete work");
  CHECK(eventually([&] { return all.on_node({"layer", "find", "work"}).reply["complete"] == true; }));
  await_prompt();
  screen.enter("layer rm work");
  CHECK(screen.shows("removed work"));
  await_prompt();
  screen.enter("log-level debug");
  CHECK(screen.shows("log level debug"));
  await_prompt();
  screen.enter("drain on");
  CHECK(eventually([&] { return all.node_status()["draining"] == true; }));
  CHECK(all.node_log().find("debug: draining") != std::string::npos);
  await_prompt();
  screen.enter("drain off");
  CHECK(eventually([&] { return all.node_status()["draining"] == false; }));
  await_prompt();
  screen.enter("reconnect");
  CHECK(screen.shows("dialling"));
  CHECK(eventually([&] { return all.node_status()["link"]["reconnects"] == 1; }));
  await_prompt();
  screen.enter("evict streamed:1");
  CHECK(screen.shows("freed"));
  CHECK(all.node_status()["store_bytes"] == 0);
}

TEST_CASE("the live view shows a delivery as it comes along") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = slow_link});
  all.add(make_streamed_image(all.folder() / "streamed").layout, "streamed:1");
  all.mount("streamed:1", "streamed");
  auto top = all.start({"top", "--times", "2", "--interval", "100ms"});
  REQUIRE(top->wait(std::chrono::seconds(20)) == program_end{0, 0});
  CHECK(top->output().find("receiving") != std::string::npos);
  CHECK(top->output().find("streamed") != std::string::npos);
  auto hub = all.start({"top", "--times", "1", "--hub"});
  REQUIRE(hub->wait(std::chrono::seconds(20)) == program_end{0, 0});
  CHECK(hub->output().find("sending") != std::string::npos);
}

TEST_CASE("waiters and receivers are listed, also by the console") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed");
  all.add(image.layout, "streamed:1");
  CHECK(all.on_node({"waiters"}).reply["count"] == 0);
  CHECK(all.on_node({"receivers"}).reply["receivers"].empty());
  const auto target = all.mount("streamed:1", "of-mine");
  // How much comes is known with the first segment, and the last file is far behind it.
  REQUIRE(eventually([&] {
    const auto receivers = all.on_node({"receivers"}).reply["receivers"];
    return !receivers.empty() && receivers[0]["segments_total"] > 0 && receivers[0]["bytes_total"] > 0;
  }));
  all.link().stop();
  auto reader = all.run({"sh", "-c", "exec tail -c 100 \"$1\"/data/f123", "sh", target.string()});
  nlohmann::json waiter;
  REQUIRE(eventually([&] {
    const auto said = all.on_node({"waiters"}).reply;
    waiter = said["waiters"].empty() ? nlohmann::json() : said["waiters"][0];
    return !waiter.is_null();
  }));
  CHECK(waiter["mount"] == "of-mine");
  CHECK(waiter["path"] == "data/f123");
  CHECK(waiter["process"] == reader->pid());
  CHECK(waiter["command"] == "tail");
  CHECK(waiter["blocks"] > 0);
  CHECK(waiter["since_ms"].get<std::int64_t>() + waiter["waiting_ms"].get<std::int64_t>() >
        std::int64_t{1'700'000'000'000});
  const auto receivers = all.on_node({"receivers"}).reply["receivers"];
  REQUIRE(receivers.size() == 1);
  CHECK(receivers[0]["reference"].get<std::string>().find("streamed:1") != std::string::npos);
  CHECK(receivers[0]["wants"] > 0);
  CHECK(receivers[0]["segments_total"] > 0);
  CHECK(receivers[0]["bytes_total"] == image.bytes);

  terminal screen(all, console_command(all));
  REQUIRE(screen.shows("firstlight>"));
  screen.type("waiters");
  screen.press("Enter");
  CHECK(screen.shows("data/f123"));
  screen.type("receivers");
  screen.press("Enter");
  CHECK(screen.shows("SEGMENTS"));
  all.link().resume();
  CHECK(reader->wait(std::chrono::minutes(1)) == program_end{0, 0});
  check_complete(all, "streamed:1");
  CHECK(all.on_node({"waiters"}).reply["count"] == 0);
  CHECK(all.on_node({"receivers"}).reply["receivers"][0]["state"] == "complete");
}

TEST_CASE("events are followed as they happen, each is told once, until the follower is interrupted") {
  if (!cluster::possible()) return;
  cluster all;
  auto at_hub = all.start({"events", "--follow", "--json", "--hub"});
  auto at_node = all.start({"events", "--follow", "--json"});
  REQUIRE(await_told(*at_hub, "node joined"));  // it had before
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  all.mount("streamed:1", "streamed");
  REQUIRE(await_told(*at_node, "mounted"));
  check_good(all.on_node({"umount", "streamed"}));
  REQUIRE(await_told(*at_node, "unmounted"));
  check_good(all.on_node({"drain", "on", "--hub"}));
  REQUIRE(await_told(*at_hub, "draining"));
  for (const auto* follower : {at_hub.get(), at_node.get()}) {
    const auto events = told(*follower);
    for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].first == static_cast<int>(i) + 1);
  }
  at_hub->signal(SIGINT);
  at_node->signal(SIGTERM);
  for (auto* follower : {at_hub.get(), at_node.get()}) {
    CHECK(follower->wait(std::chrono::seconds(20)) == program_end{0, 0});
    CHECK(follower->errors().empty());
  }
}

TEST_CASE("an admin's certificate leads a console to a hub of another machine, until it is revoked") {
  if (!cluster::possible()) return;
  cluster all({.hub = {"revoked_nodes=admin:gone"}});
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  const far_daemon by_admin{"--hub", all.hub_address(), issued(all, "admin", "ops")};
  const auto one_shot = [&](const std::string& certificate) {
    return by_console(all, {"--hub", all.hub_address(), certificate}, {"image", "ls", "--json"});
  };
  const auto listed = one_shot("admin-ops");
  CHECK(nlohmann::json::parse(listed->output())["images"][0]["reference"].get<std::string>().find(
            "streamed:1") != std::string::npos);
  check_refused(*one_shot(issued(all, "admin", "gone")), "the certificate of admin gone has been revoked");
  // A node's certificate is for a node.
  CHECK(one_shot("node-main")->output().empty());

  terminal screen(all,
                  "env HOME=" + all.folder().string() + " " + in_one_line(remote_console(all, by_admin)));
  REQUIRE(screen.shows("firstlight>"));
  screen.type("image ls");
  screen.press("Enter");
  CHECK(screen.shows("streamed:1"));
  screen.type("exit");
  screen.press("Enter");

  auto program = all.run(remote_console(all, {"--hub", "127.0.0.1:1", "admin-ops"}));
  REQUIRE(program->wait(std::chrono::seconds(30)));
  const auto said = program->errors();
  CHECK(std::count(said.begin(), said.end(), '\n') == 1);
}

TEST_CASE("^C at the prompt clears the line, and signals end a console that leaves nothing behind") {
  if (!cluster::possible()) return;
  const int signal = GENERATE(SIGTERM, SIGHUP);
  CAPTURE(signal);
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  const auto temporary = all.folder() / "temporary";
  std::filesystem::create_directory(temporary);
  const auto console = remote_console(all, {"--hub", all.hub_address(), issued(all, "admin", "ops")});
  terminal screen(all, "exec env TMPDIR=" + temporary.string() + " HOME=" + all.folder().string() + " " +
                           in_one_line(console));
  REQUIRE(screen.shows("firstlight>"));
  CHECK_FALSE(std::filesystem::is_empty(temporary));
  screen.type("nonsense");
  REQUIRE(screen.shows("firstlight> nonsense"));
  screen.press("C-c");
  CHECK(screen.shows("firstlight> nonsense^C\nfirstlight>"));
  screen.enter("image ls");
  CHECK(screen.shows("streamed:1"));
  CHECK(screen.screen().find("there is no command") == std::string::npos);
  CHECK(text_of(all.folder() / ".firstlight_history") == "_HiStOrY_V2_\nimage\\040ls\n");
  REQUIRE(kill(screen.pid(), signal) == 0);
  CHECK(eventually([&] { return std::filesystem::is_empty(temporary); }));
}

TEST_CASE("an admin's certificate leads a console to a node of another machine, and no other certificate") {
  if (!cluster::possible()) return;
  const auto address = "127.0.0.1:" + free_port();
  cluster all({.node = {"admin_listen=" + address, "revoked_nodes=admin:gone"}});
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  all.mount("streamed:1", "of-that-node");
  const far_daemon by_admin{"--node", address, issued(all, "admin", "ops")};
  const auto listed = by_console(all, by_admin, {"ls", "--json"});
  CHECK(nlohmann::json::parse(listed->output())["mounts"][0]["name"] == "of-that-node");

  const auto one_shot = [&](const std::string& certificate) {
    return by_console(all, {"--node", address, certificate}, {"ls", "--json"});
  };
  for (const auto& other : {std::string("node-main"), issued(all, "monitor", "here")})
    check_refused(*one_shot(other),
                  "the node is administered by the certificates of admins: 'firstlight pki issue admin NAME' "
                  "makes one");
  check_refused(*one_shot(issued(all, "admin", "gone")), "the certificate of admin gone has been revoked");

  const auto no_node = by_console(all, {"--node", all.hub_address(), "admin-ops"}, {"ls", "--json"});
  CHECK(no_node->wait(std::chrono::seconds(1)) == program_end{6, 0});
  CHECK(no_node->output().empty());
  CHECK(no_node->errors().ends_with("is " + all.hub_address() + " the address of a node?\n"));
  const auto plain = all.run({"curl", "-s", "--max-time", "15", "-w", "%{http_code}", "http://" + address});
  REQUIRE(plain->wait(std::chrono::seconds(20)));
  CHECK(plain->output().ends_with("000"));
  const auto program = by_console(all, by_admin, {"run", "streamed:1"});
  CHECK(program->wait(std::chrono::seconds(1)) == program_end{1, 0});
  CHECK(program->errors().find("call it there") != std::string::npos);

  terminal screen(all,
                  "env HOME=" + all.folder().string() + " " + in_one_line(remote_console(all, by_admin)));
  REQUIRE(screen.shows("firstlight>"));
  screen.type("umount of-that");
  screen.press("Tab");
  screen.press("Enter");
  CHECK(screen.shows("unmounted of-that-node"));
  CHECK(all.mounts().empty());
}

}  // namespace firstlight
