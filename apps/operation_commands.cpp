#include <unistd.h>

#include <csignal>
#include <ctime>

#include "apps/daemon_client.hpp"
#include "apps/interruption.hpp"
#include "apps/live_view.hpp"
#include "apps/standard_output.hpp"
#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

/// Commands that either daemon answers.
struct daemon_arguments {
  daemon_options daemon;
  bool hub = false;
  [[nodiscard]] daemon_kind kind() const { return hub ? daemon_kind::hub : daemon_kind::node; }
};

void add_either_daemon(CLI::App& command, daemon_arguments& in) {
  command.add_flag("--hub", in.hub, "of the hub on this machine (default: the node)");
  add_daemon_options(command, in.daemon, daemon_kind::node);
}

// ---- evict, reconnect, drain, log-level ----------------------------------------------------------

}  // namespace

void add_evict_command(command_tree& tree) {
  struct arguments {
    daemon_options daemon;
    admin_evict request;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "evict",
       .summary = "Forget images that no mount has, and free their space.",
       .examples = "firstlight evict redis:7\nfirstlight evict",
       .details = "Without an image all that no mount has are forgotten. The next pull brings them again. An "
                  "image whose record is damaged ('firstlight status' tells of it) is forgotten by its name "
                  "only, and its contents stay for the next pull."},
      [in] {
        return show(ask_for<admin_evicted>(daemon_kind::node, in->daemon, in->request), in->daemon.output,
                    [](const admin_evicted& gone) {
                      for (const auto& name : gone.references) std::printf("%s\n", printable(name).c_str());
                      std::printf("%s freed\n", rounded_bytes(gone.bytes).c_str());
                    });
      });
  command->add_option("image", in->request.reference, "the image's reference")->type_name("REFERENCE");
  command->add_option("--platform", in->request.platform, "os/architecture[/variant] (default: the node's)")
      ->type_name("PLATFORM");
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

void add_reconnect_command(command_tree& tree) {
  auto daemon = std::make_shared<daemon_options>();
  auto* command = tree.add(tree.root(),
                           {.name = "reconnect",
                            .summary = "End the node's link to its hub and dial anew.",
                            .examples = "firstlight reconnect"},
                           [daemon] {
                             return show(ask_for<admin_done>(daemon_kind::node, *daemon, admin_reconnect{}),
                                         daemon->output, [](const admin_done&) { std::puts("dialling"); });
                           });
  add_daemon_options(*command, *daemon, daemon_kind::node);
}

void add_drain_command(command_tree& tree) {
  struct arguments : daemon_arguments {
    std::string state;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "drain",
       .summary = "Refuse new work, so that a machine can be taken out of service.",
       .examples = "firstlight drain on\nfirstlight drain off --hub",
       .details =
           "A draining node refuses new mounts and pulls, a draining hub new pulls; what is under way goes "
           "on. A restart ends it."},
      [in] {
        return show(ask_for<admin_done>(in->kind(), in->daemon, admin_drain{in->state == "on"}),
                    in->daemon.output,
                    [&](const admin_done&) { std::printf("drain %s\n", in->state.c_str()); });
      });
  command->add_option("state", in->state, "on or off")
      ->required()
      ->check(CLI::IsMember({"on", "off"}))
      ->type_name("STATE");
  add_either_daemon(*command, *in);
}

void add_log_level_command(command_tree& tree) {
  struct arguments : daemon_arguments {
    admin_log_level request;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "log-level",
       .summary = "Change how much a daemon logs, until it is started again.",
       .examples = "firstlight log-level debug\nfirstlight log-level info --hub"},
      [in] {
        return show(ask_for<admin_done>(in->kind(), in->daemon, in->request), in->daemon.output,
                    [&](const admin_done&) { std::printf("log level %s\n", in->request.level.c_str()); });
      });
  command->add_option("level", in->request.level, "trace, debug, info, warn or error")
      ->required()
      ->type_name("LEVEL");
  add_either_daemon(*command, *in);
}

namespace {

// ---- events --------------------------------------------------------------------------------------

/// Before a follower asks again whom its daemon could not let wait.
constexpr std::chrono::milliseconds follow_interval{300};

std::string clock_time(std::int64_t at_ms) {
  const std::time_t seconds = at_ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[32];
  std::strftime(text, sizeof text, "%H:%M:%S", &local);
  return text;
}

void print_events(const admin_events& said) {
  for (const auto& one : said.events)
    std::printf("%s  %-18s %s\n", clock_time(one.at_ms).c_str(), one.kind.c_str(),
                printable(one.about).c_str());
}

result<int> follow(const daemon_arguments& in, std::uint64_t after) {
  interruption signals;
  for (;;) {
    const auto said = ask_for<admin_events>(in.kind(), in.daemon, admin_events_request{after, /*wait=*/true},
                                            signals.descriptor());
    if (signals.take()) return 0;
    if (!said) return tl::unexpected(said.error());
    if (said->events.empty()) {
      if (signals.wait_for(follow_interval) && signals.take()) return 0;
      continue;
    }
    after = said->events.back().number;
    if (auto shown = show(said, in.daemon.output, print_events); !shown) return shown;
    if (!write_out()) return 0;  // nobody reads on
  }
}

}  // namespace

void add_events_command(command_tree& tree) {
  struct arguments : daemon_arguments {
    bool follow = false;
    std::uint64_t after = 0;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "events",
       .summary = "Tell what has happened in a daemon: mounts, deliveries, joins, traces, orders.",
       .examples = "firstlight events\nfirstlight events --follow --hub\nfirstlight events --follow --json",
       .details = "With --json each line is one answer with the events that it brings."},
      [in]() -> result<int> {
        if (in->follow) return follow(*in, in->after);
        return show(ask_for<admin_events>(in->kind(), in->daemon, admin_events_request{in->after, false}),
                    in->daemon.output, print_events);
      });
  command->add_flag("-f,--follow", in->follow, "go on until interrupted");
  command->add_option("--after", in->after, "only events with a higher number")->type_name("NUMBER");
  add_either_daemon(*command, *in);
}

namespace {

// ---- top -----------------------------------------------------------------------------------------

struct top_arguments : daemon_arguments {
  std::string interval = "1s";
  std::uint32_t times = 0;
};

/// As --json a look is what `status` says.
template <class Status>
result<int> look(const top_arguments& in, const admin_request& request, const char* clear, int interrupt) {
  auto quiet = in.daemon;
  quiet.output.quiet = true;
  const auto said = ask_for<Status>(in.kind(), quiet, request, interrupt);
  return show(said, in.daemon.output, [&](const Status& status) {
    std::printf("%s%s", clear, live_view(status, unix_now()).c_str());
  });
}

result<int> top(const top_arguments& in) {
  const auto interval = parse_duration(in.interval);
  if (!interval) return fail(interval.error(), "--interval");
  const char* clear = isatty(STDOUT_FILENO) == 1 ? "\033[H\033[2J" : "";
  interruption signals;
  for (std::uint32_t shown = 0;;) {
    const int interrupt = signals.descriptor();
    const auto looked = in.hub ? look<admin_hub_status>(in, admin_hub_status_request{}, clear, interrupt)
                               : look<admin_node_status>(in, admin_node_status_request{}, clear, interrupt);
    if (!looked && signals.take()) return 0;
    if (!looked) return looked;
    if (!write_out() || ++shown == in.times || signals.wait_for(*interval)) break;
  }
  static_cast<void>(signals.take());
  return 0;
}

}  // namespace

void add_top_command(command_tree& tree) {
  auto in = std::make_shared<top_arguments>();
  auto* command = tree.add(tree.root(),
                           {.name = "top",
                            .summary = "Watch deliveries, mounts and who waits, until interrupted.",
                            .examples = "firstlight top\nfirstlight top --hub --interval 5s",
                            .details = "With --json each look is one line, that of 'firstlight status "
                                       "--json'."},
                           [in] { return top(*in); });
  command->add_option("--interval", in->interval, "between two looks (default: 1s)")->type_name("TIME");
  command->add_option("--times", in->times, "end after so many looks (default: never)")->type_name("COUNT");
  add_either_daemon(*command, *in);
}

}  // namespace firstlight
