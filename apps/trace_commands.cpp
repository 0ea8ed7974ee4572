#include <fstream>
#include <functional>

#include "apps/daemon_client.hpp"
#include "apps/image_arguments.hpp"
#include "apps/order_difference.hpp"
#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

std::string where_from(const admin_traced_image& image) {
  if (image.learned_from == 0) return "guessed";
  const auto starts = std::to_string(image.learned_from) + (image.learned_from == 1 ? " start" : " starts");
  return image.relative.empty() ? starts : starts + " of " + printable(image.relative);
}

std::string milliseconds_of(std::uint64_t microseconds) {
  return std::to_string(microseconds / 1000) + "." + std::to_string(microseconds / 100 % 10) + " ms";
}

// ---- ls, show, diff ------------------------------------------------------------------------------

void print_list(const admin_trace_list& list) {
  table rows({"IMAGE", "PLATFORM", "TRACES", "ORDER FROM", "EXPECTED"});
  for (const auto& image : list.images)
    if (image.platform.empty())
      rows.add({image.reference, "not here", std::to_string(image.traces), "", ""});
    else
      rows.add({image.reference, image.platform, std::to_string(image.traces), where_from(image),
                rounded_bytes(image.expected_bytes)});
  std::fputs(rows.text().c_str(), stdout);
  std::printf("received %llu, repeated %llu, refused %llu\n", static_cast<unsigned long long>(list.received),
              static_cast<unsigned long long>(list.repeated), static_cast<unsigned long long>(list.refused));
  for (const auto& why : list.refusals) std::printf("  %s\n", printable(why).c_str());
}

void add_ls(command_tree& tree, CLI::App& group) {
  auto daemon = std::make_shared<daemon_options>();
  auto* command =
      tree.add(group,
               {.name = "ls",
                .summary = "List the hub's images with what it has learned of their starts.",
                .examples = "firstlight trace ls"},
               [daemon] {
                 return show(ask_for<admin_trace_list>(daemon_kind::hub, *daemon, admin_trace_list_request{}),
                             daemon->output, print_list);
               });
  add_daemon_options(*command, *daemon, daemon_kind::hub);
}

void print_detail(const admin_trace_detail& detail) {
  std::printf("%s  %s\n  order from %s: %u runs, a start is expected to read %s\n",
              printable(detail.image.reference).c_str(), detail.image.platform.c_str(),
              where_from(detail.image).c_str(), detail.image.order_runs,
              rounded_bytes(detail.image.expected_bytes).c_str());
  table traces({"TRACE", "NODE", "GROUP", "STARTED", "FILES", "BLOCKS", "SPAN", "WAITED"});
  for (const auto& one : detail.traces)
    traces.add({short_digest(one.id), one.node, one.group, ago(one.started_at, unix_now()),
                std::to_string(one.files), std::to_string(one.blocks),
                rounded_duration(std::chrono::milliseconds(one.span_ms)),
                rounded_duration(std::chrono::milliseconds(one.wait_ms))});
  std::fputs(traces.text().c_str(), stdout);
  if (detail.order.empty()) return;
  std::puts("");
  table runs({"FILE", "FIRST BLOCK", "BLOCKS", "EXPECTED", "READ BY"});
  for (const auto& run : detail.order)
    runs.add({run.path, std::to_string(run.first), std::to_string(run.count), run.expected ? "yes" : "no",
              run.read_percent == 0 ? "" : std::to_string(run.read_percent) + " %"});
  std::fputs(runs.text().c_str(), stdout);
}

std::string since_start(std::uint64_t nanoseconds) {
  return milliseconds_of(nanoseconds / 1000);
}

void print_trace(const admin_trace_detail& detail) {
  for (const auto& one : detail.traces)
    std::printf("%s  %s\n  trace %s of %s, group %s, started %s\n", printable(detail.image.reference).c_str(),
                detail.image.platform.c_str(), one.id.c_str(), printable(one.node).c_str(),
                printable(one.group).c_str(), ago(one.started_at, unix_now()).c_str());
  table items({"FILE", "FIRST BLOCK", "BLOCKS", "FIRST READ", "WAITED"});
  for (const auto& file : detail.files) {
    if (file.runs.empty())
      items.add({printable(file.path), "", "", since_start(file.access_ns), since_start(file.wait_ns)});
    for (const auto& run : file.runs)
      items.add({printable(file.path), std::to_string(run.first), std::to_string(run.count),
                 since_start(run.access_ns), since_start(run.wait_ns)});
  }
  std::fputs(items.text().c_str(), stdout);
}

void add_show(command_tree& tree, CLI::App& group) {
  struct arguments : image_arguments {
    std::uint32_t order = 0;
    std::string id;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      group,
      {.name = "show",
       .summary = "Show the traces of an image and the order in which it is delivered, or one trace.",
       .examples = "firstlight trace show redis:7\nfirstlight trace show redis:7 --order 50\n"
                   "firstlight trace show redis:7 3f9a",
       .details =
           "READ BY is the share of the recorded starts, by their weight, that have read of that run; "
           "empty where it is guessed, or learned from another image's starts. Of one trace: what that "
           "start has read, by when it was first read (since the start; --json: in ns, with the files' "
           "own sums); without blocks where a file was opened and its reads were not seen."},
      [in]() -> result<int> {
        if (in->order != 0 && !in->id.empty())
          return fail(errc::invalid_argument, "--order is of an image, not of one trace");
        return show(
            ask_for<admin_trace_detail>(daemon_kind::hub, in->daemon,
                                        admin_trace_show{in->reference, in->platform, in->order, in->id}),
            in->daemon.output, in->id.empty() ? print_detail : print_trace);
      });
  add_reference(*command, *in);
  command
      ->add_option("trace", in->id, "only this trace, with what it has read: its id or the beginning of it")
      ->type_name("ID");
  command->add_option("--order", in->order, "also the first so many runs of the order")->type_name("COUNT");
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

constexpr std::uint32_t compared_runs_max = 65'536;

result<int> show_difference(const order_difference& difference, const output_options& output) {
  if (output.json)
    std::printf("%s\n", to_json(difference).c_str());
  else if (!output.quiet)
    std::fputs(to_text(difference).c_str(), stdout);
  return 0;
}

void add_diff(command_tree& tree, CLI::App& group) {
  struct arguments : image_arguments {
    std::string other;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(group,
                           {.name = "diff",
                            .summary = "Say how what starts of two images are expected to read differs.",
                            .examples = "firstlight trace diff redis:7.0 redis:7.2",
                            .details = "With --json one line: {\"removed\":[{\"path\",\"place\"}],"
                                       "\"added\":[{\"path\",\"place\"}],\"same\"}. A place counts from 0 "
                                       "among the files that a start is expected to read; same is how many "
                                       "are expected of both."},
                           [in]() -> result<int> {
                             const auto ask = [&](const std::string& reference) {
                               return ask_for<admin_trace_detail>(
                                   daemon_kind::hub, in->daemon,
                                   admin_trace_show{reference, in->platform, compared_runs_max, {}});
                             };
                             const auto before = ask(in->reference);
                             if (!before) return tl::unexpected(before.error());
                             const auto after = ask(in->other);
                             if (!after) return tl::unexpected(after.error());
                             return show_difference(compare_orders(*before, *after), in->daemon.output);
                           });
  add_reference(*command, *in);
  command->add_option("other", in->other, "the other image's reference")->required()->type_name("REFERENCE");
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

// ---- rm ------------------------------------------------------------------------------------------

void add_rm(command_tree& tree, CLI::App& group) {
  struct arguments : image_arguments {
    std::string id;
    bool orphans = false;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      group,
      {.name = "rm",
       .summary = "Remove traces of an image; it is learned anew from what is left.",
       .examples = "firstlight trace rm redis:7\nfirstlight trace rm redis:7 3f9a\n"
                   "firstlight trace rm --orphans",
       .details = "A removed trace does not come back from nodes or other hubs."},
      [in]() -> result<int> {
        if (in->orphans != in->reference.empty())
          return fail(errc::invalid_argument, "name an image, or --orphans");
        return show(ask_for<admin_trace_removed>(daemon_kind::hub, in->daemon,
                                                 admin_trace_remove{in->reference, in->platform, in->id}),
                    in->daemon.output,
                    [](const admin_trace_removed& gone) { std::printf("removed %u\n", gone.traces); });
      });
  command->add_option("image", in->reference, "whose traces")->type_name("REFERENCE");
  command->add_option("--platform", in->platform, "of the image (default: the hub's own)")
      ->type_name("PLATFORM");
  command->add_flag("--orphans", in->orphans, "all traces of images that the hub does not have");
  command->add_option("trace", in->id, "only this trace: its id or the beginning of it (default: all)")
      ->type_name("ID");
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

// ---- on, off, default ----------------------------------------------------------------------------

struct recording_word {
  std::string name;
  std::string summary;
  std::string done;
  std::function<admin_request(const std::string& reference, const std::string& group)> asks;
};

std::vector<recording_word> recording_words() {
  const auto switched = [](bool on) {
    return [on](const std::string& reference, const std::string& group) {
      return admin_request(admin_trace_switch{reference, group, on});
    };
  };
  return {{"on", "Record starts from now on.", "recording on", switched(true)},
          {"off", "Record no starts from now on.", "recording off", switched(false)},
          {"default", "Take back what 'trace on' or 'trace off' has said of the same.",
           "recording as without that word", [](const std::string& reference, const std::string& group) {
             return admin_request(admin_trace_default{reference, group});
           }}};
}

void add_word(command_tree& tree, CLI::App& group, const recording_word& word) {
  struct arguments : image_arguments {
    std::string label;
  };
  auto in = std::make_shared<arguments>();
  const auto command_line = "firstlight trace " + word.name;
  auto* command = tree.add(
      group,
      {.name = word.name,
       .summary = word.summary,
       .examples = command_line + "\n" + command_line + " redis:7\n" + command_line + " --group shop",
       .details = "A word on an image counts more than one on its group, and that more than one on all. "
                  "Without any the setting recording.mode holds. Instances without a group are of the group "
                  "default. 'firstlight status' shows what was said."},
      [in, word] {
        return show(ask_for<admin_done>(daemon_kind::node, in->daemon, word.asks(in->reference, in->label)),
                    in->daemon.output, [word](const admin_done&) { std::printf("%s\n", word.done.c_str()); });
      });
  command->add_option("image", in->reference, "only of this image")->type_name("REFERENCE");
  command->add_option("--group", in->label, "only of instances of this group")->type_name("NAME");
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

// ---- score, plot ---------------------------------------------------------------------------------

struct score_arguments : image_arguments {
  admin_trace_score request;
  std::string rate = "12500000";
  std::string picture;
  CLI::Option* orders = nullptr;
};

std::string with_packed(std::uint64_t bytes, std::uint64_t packed) {
  return rounded_bytes(bytes) + (packed == 0 ? "" : " (" + rounded_bytes(packed) + ")");
}

void print_scores(const admin_trace_scores& scores) {
  table rows(
      {"ORDER", "TRACE", "STALL", "END", "MISSES", "TOUCHED", "SENT BEFORE", "RECALL 1 2 5 10 20 50 %"});
  for (const auto& row : scores.rows) {
    std::string recall;
    for (const auto& at : row.recall)
      if (at.stream_percent < 100) recall += (recall.empty() ? "" : " ") + std::to_string(at.read_percent);
    rows.add({row.order, short_digest(row.trace), milliseconds_of(row.stall_us), milliseconds_of(row.end_us),
              std::to_string(row.misses), with_packed(row.touched_bytes, row.packed_touched_bytes),
              with_packed(row.sent_bytes, row.packed_sent_bytes), recall});
  }
  std::fputs(rows.text().c_str(), stdout);
}

result<int> score(const score_arguments& in) {
  auto request = in.request;
  request.reference = in.reference;
  request.platform = in.platform;
  request.plot = !in.picture.empty();
  if (request.packed && in.orders->count() == 0) request.orders = {"traced"};  // others send the whole image
  const auto rate = parse_bytes(in.rate);
  if (!rate) return fail(rate.error(), "--rate");
  request.bytes_per_second = *rate;
  const auto scores = ask_for<admin_trace_scores>(daemon_kind::hub, in.daemon, request);
  if (scores && !in.picture.empty()) {
    std::ofstream out(in.picture, std::ios::binary);
    out << scores->svg;
    out.close();
    if (!out) return fail(errc::io, "cannot write " + in.picture);
  }
  return show(scores, in.daemon.output, print_scores);
}

void add_score(command_tree& tree, CLI::App& group, bool plots) {
  auto in = std::make_shared<score_arguments>();
  in->request.orders = {"traced", "static", "image", "oracle"};
  const std::string examples = plots
                                   ? "firstlight trace plot redis:7 redis.svg --order traced"
                                   : "firstlight trace score redis:7\nfirstlight trace score redis:7 --order "
                                     "traced --rtt 300 --json";
  auto* command = tree.add(
      group,
      {.name = plots ? "plot" : "score",
       .summary =
           plots ? "Draw a recorded start against an order: when what was read, waited for, asked for, sent."
                 : "Replay recorded starts against orders over a modelled link.",
       .examples = examples,
       .details =
           "Orders: traced (learned from all other starts than the one that is replayed), relative "
           "(from those of the nearest other image), static (the guess), image (by layers), oracle (that "
           "of the start itself). STALL is what the program would have waited; SENT BEFORE what the order "
           "sends until the last block that it read."},
      [in] { return score(*in); });
  add_reference(*command, *in);
  if (!plots)
    command->add_flag("--packed", in->request.packed,
                      "also pack what is sent in segments, and what was read as one zstd -19 frame; say "
                      "their bytes in brackets: a second for each 2 MB");
  if (plots) command->add_option("picture", in->picture, "SVG file to write")->required()->type_name("FILE");
  in->orders = command->add_option("--order", in->request.orders, "which orders; may be repeated");
  in->orders->type_name("ORDER");
  command
      ->add_option("--rtt", in->request.round_trip_ms, "round trip of the link, milliseconds (default: 100)")
      ->type_name("MS");
  command->add_option("--rate", in->rate, "bytes a second (default: 12500000)")->type_name("BYTES");
  command->add_option("--traces", in->request.traces_max, "learn from at most so many others (default: all)")
      ->type_name("COUNT");
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

}  // namespace

void add_trace_commands(command_tree& tree) {
  auto* group = tree.group(
      "trace", "What starts of images read: ls, show, on, off, default, record, import, score, ...");
  add_ls(tree, *group);
  add_show(tree, *group);
  add_diff(tree, *group);
  for (const auto& word : recording_words()) add_word(tree, *group, word);
  add_record_command(tree, *group);
  add_trace_file_commands(tree, *group);
  add_rm(tree, *group);
  add_score(tree, *group, false);
  add_score(tree, *group, true);
}

}  // namespace firstlight
