#include "apps/daemon_client.hpp"
#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

std::string duration_of(std::uint64_t milliseconds) {
  return rounded_duration(std::chrono::milliseconds(milliseconds));
}

std::string blocks_of(const admin_waiter& one) {
  const auto first = std::to_string(one.first_block);
  return one.blocks < 2 ? first : first + "-" + std::to_string(one.first_block + one.blocks - 1);
}

void print_waiters(const admin_waiters& said) {
  if (said.count == 0) return static_cast<void>(std::puts("nobody waits"));
  table rows({"WAITS", "MOUNT", "PROCESS", "COMMAND", "FILE", "BLOCKS", "FOR"});
  for (const auto& one : said.waiters)
    rows.add({duration_of(one.waiting_ms), printable(one.mount), std::to_string(one.process),
              printable(one.command), printable(one.path), blocks_of(one), printable(one.cause)});
  std::fputs(rows.text().c_str(), stdout);
  if (said.count > said.waiters.size())
    std::printf("and %llu more\n", static_cast<unsigned long long>(said.count - said.waiters.size()));
}

std::string error_of(const admin_delivery& one) {
  if (one.verification_failures == 0) return printable(one.error);
  return std::to_string(one.verification_failures) + " arrived damaged" +
         (one.error.empty() ? "" : ", " + printable(one.error));
}

void print_receivers(const admin_receivers& said) {
  if (said.receivers.empty()) return static_cast<void>(std::puts("nothing has been received"));
  table rows(
      {"DELIVERY", "IMAGE", "STATE", "STORED", "OF", "WIRE", "RATE", "SEGMENTS", "WANTS", "TIME", "ERRORS"});
  for (const auto& one : said.receivers)
    rows.add({std::to_string(one.id), printable(one.reference), one.state, rounded_bytes(one.bytes_stored),
              rounded_bytes(one.bytes_total), rounded_bytes(one.bytes_received),
              rounded_bytes(one.rate_bytes_per_second) + "/s",
              std::to_string(one.segments_received) + "/" + std::to_string(one.segments_total),
              std::to_string(one.wants), duration_of(one.elapsed_ms), error_of(one)});
  std::fputs(rows.text().c_str(), stdout);
}

}  // namespace

void add_waiters_command(command_tree& tree) {
  auto daemon = std::make_shared<daemon_options>();
  auto* command = tree.add(
      tree.root(),
      {.name = "waiters",
       .summary = "List the processes that wait for blocks now: who, for which file, since when, and why.",
       .examples = "firstlight waiters\nfirstlight waiters --json",
       .details = "The longest wait first. BLOCKS are those of the file that the read covers."},
      [daemon] {
        return show(ask_for<admin_waiters>(daemon_kind::node, *daemon, admin_waiters_request{}),
                    daemon->output, print_waiters);
      });
  add_daemon_options(*command, *daemon, daemon_kind::node);
}

void add_receivers_command(command_tree& tree) {
  auto daemon = std::make_shared<daemon_options>();
  auto* command = tree.add(
      tree.root(),
      {.name = "receivers",
       .summary = "List what the node receives: of each image state, bytes, rate, segments, wants, errors.",
       .examples = "firstlight receivers\nfirstlight receivers --json",
       .details = "Those that run, then the last that have ended."},
      [daemon] {
        return show(ask_for<admin_receivers>(daemon_kind::node, *daemon, admin_receivers_request{}),
                    daemon->output, print_receivers);
      });
  add_daemon_options(*command, *daemon, daemon_kind::node);
}

}  // namespace firstlight
