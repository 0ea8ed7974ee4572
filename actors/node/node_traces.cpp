#include <spdlog/spdlog.h>

#include "actors/node/node_shell.hpp"
#include "actors/node/tracer.hpp"
#include "model/image_reference.hpp"

namespace firstlight::detail {
namespace {

bool wanted_by_mode(const node_root_tools& tools, std::uint64_t starts) {
  if (tools.recording.mode == "never") return false;
  return tools.recording.mode != "first" || starts <= tools.recording.starts;
}

std::string label_of(const std::string& group) {
  return group.empty() ? std::string(default_trace_group) : group;
}

/// What users have said of such a start.
result<std::optional<trace_switches::state>> said_of(const node_shell& my, const std::string& reference,
                                                     const std::string& group) {
  return my.tools->switches.find(reference, label_of(group));
}

bool is_off(const node_shell& my, const running_mount& mount) {
  const auto said = said_of(my, mount.entry.image.record.reference, mount.group);
  return said && *said == trace_switches::state::off;
}

/// Whether this start is recorded: what was asked with it, what users have said, then the setting.
bool is_wanted(const node_shell& my, const start_to_record& start) {
  const auto starts = my.tools->switches.count_start(start.image.record.toc);
  const auto said = said_of(my, start.image.record.reference, start.group);
  if (!starts || !said) {
    spdlog::error("a start is not recorded: {}", to_string(starts ? said.error() : starts.error()));
    return false;
  }
  if (start.on_purpose) return true;
  return *said ? **said == trace_switches::state::on : wanted_by_mode(*my.tools, *starts);
}

recorded_detail detail_of(const start_to_record& start) {
  const bool blocks = start.on_purpose || !start.image.record.complete;
  return blocks ? recorded_detail::blocks : recorded_detail::files;
}

std::chrono::nanoseconds since_epoch() {
  return std::chrono::system_clock::now().time_since_epoch();
}

/// With the record as it is now: the image may have become complete.
mountable_image image_now(const node_shell& my, mountable_image image) {
  const auto record = my.tools->catalogue.find_toc(image.record.toc);
  if (record && *record) image.record.complete = (*record)->complete;
  return image;
}

/// Whose starts a word is about.
struct named_subject {
  trace_switches::subject of = trace_switches::subject::all;
  std::string name{};
};

result<named_subject> subject_of(const std::string& reference, const std::string& group) {
  if (!reference.empty() && !group.empty())
    return fail(errc::invalid_argument, "name an image or a group, not both");
  if (!group.empty()) return named_subject{trace_switches::subject::group, group};
  if (reference.empty()) return named_subject{};
  const auto parsed = parse_image_reference(reference);
  if (!parsed) return tl::unexpected(parsed.error());
  return named_subject{trace_switches::subject::image, parsed->text()};
}

}  // namespace

std::shared_ptr<access_recorder> recorder_for(const node_shell& my, const start_to_record& start) {
  const auto& limits = my.tools->recording.limits;
  if (!is_wanted(my, start))
    return start.repeats ? std::make_shared<access_recorder>(limits) : std::shared_ptr<access_recorder>{};
  return std::make_shared<access_recorder>(since_epoch(), detail_of(start), limits);
}

void record_container(const node_shell& my, const container_begins& news) {
  const auto found = my.state().mounts.find(news.mount);
  if (found == my.state().mounts.end()) return;
  auto& running = found->second;
  if (!running.recorder) return;
  if (running.recorder->active()) return running.recorder->goes_on();
  const start_to_record start{image_now(my, running.entry.image), news.group, false, true};
  if (!is_wanted(my, start) || !running.recorder->begin(since_epoch(), detail_of(start))) return;
  running.group = news.group;
  running.tracing = trace_start(my, start, running.recorder);
}

tracer trace_start(const node_shell& my, const start_to_record& start,
                   const std::shared_ptr<access_recorder>& recorder) {
  if (!recorder || !recorder->active()) return {};
  const auto& record = start.image.record;
  auto made = my.self->spawn(make_tracer,
                             tracer_parts{recorder,
                                          {random_trace_id(), start.image.toc, record.toc, record.reference,
                                           label_of(start.group), my.tools->name, recorder->started()},
                                          my.tools->collector,
                                          my.tools->recording.check_interval,
                                          my.tools->recording.keep_interval,
                                          my.tools->recording.trace_bytes_max});
  my.self->monitor(made);
  my.state().tracers.insert(made.address());
  return made;
}

void finish_trace(const running_mount& mount) {
  if (mount.recorder) mount.recorder->stop();
  if (mount.tracing) caf::anon_send(mount.tracing, finish_recording{});
}

void switch_traces(const node_shell& my, const admin_trace_switch& asked, admin_promise reply) {
  const auto about = subject_of(asked.reference, asked.group);
  if (!about) return refuse(reply, about.error());
  const auto wanted = asked.on ? trace_switches::state::on : trace_switches::state::off;
  if (auto set = my.tools->switches.set(about->of, about->name, wanted); !set)
    return refuse(reply, set.error());
  // What is being recorded against the new word ends, and is kept.
  if (!asked.on)
    for (const auto& [name, mount] : my.state().mounts)
      if (is_off(my, mount)) finish_trace(mount);
  deliver(reply, admin_done{});
}

void restore_tracing(const node_shell& my, const admin_trace_default& asked, admin_promise reply) {
  const auto about = subject_of(asked.reference, asked.group);
  if (!about) return refuse(reply, about.error());
  std::vector<const running_mount*> recorded;
  for (const auto& [name, mount] : my.state().mounts)
    if (!is_off(my, mount)) recorded.push_back(&mount);
  if (auto cleared = my.tools->switches.clear(about->of, about->name); !cleared)
    return refuse(reply, cleared.error());
  // A less particular word may hold now.
  for (const auto* mount : recorded)
    if (is_off(my, *mount)) finish_trace(*mount);
  deliver(reply, admin_done{});
}

result<admin_recording> report_recording(const node_shell& my) {
  const auto words = my.tools->switches.list();
  if (!words) return tl::unexpected(words.error());
  admin_recording said{my.tools->recording.mode, my.tools->recording.starts, {}};
  for (const auto& one : *words) {
    admin_trace_switch word{.on = one.said == trace_switches::state::on};
    if (one.of == trace_switches::subject::image) word.reference = one.name;
    if (one.of == trace_switches::subject::group) word.group = one.name;
    said.words.push_back(std::move(word));
  }
  return said;
}

}  // namespace firstlight::detail
