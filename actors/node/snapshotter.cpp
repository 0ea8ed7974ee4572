#include "actors/node/snapshotter.hpp"

#include <spdlog/spdlog.h>

#include <set>

#include "actors/node/filter_pattern.hpp"
#include "actors/node/snapshotter_shell.hpp"
#include "model/snapshot_filter.hpp"

namespace firstlight {
namespace {

using detail::deliver;
using detail::refuse;
using detail::snapshotter_shell;

template <class T>
caf::result<T> answer(result<T> outcome) {
  if (outcome) return std::move(*outcome);
  return to_caf(outcome.error());
}

std::set<std::uint64_t> ids(const snapshot_index& index) {
  std::set<std::uint64_t> all;
  index.each([&](const snapshot_record& record) { all.insert(record.id); });
  return all;
}

/// Measured first: the files of a committed snapshot change no more. A power cut must not lose them.
void commit(const snapshotter_shell& my, const commit_snapshot& asked,
            caf::typed_response_promise<snapshot_record> reply) {
  snapshot_commit wanted{asked.name, asked.key, asked.labels, asked.parent};
  const auto allowed = my.index().commit(wanted, {}, my.tools->now_ns());
  if (!allowed) return refuse(reply, allowed.error());
  wanted.measured = allowed->put.id;
  run_on(
      my.tools->workers.next(), my.self,
      [tools = my.tools, id = allowed->put.id] {
        return tools->folders.sync().and_then([&] { return tools->folders.measure(id); });
      },
      [=](const result<snapshot_usage>& used) {
        if (!used) return refuse(reply, used.error());
        const auto made = my.tools->records.apply(my.index().commit(wanted, *used, my.tools->now_ns()));
        if (made) detail::tell_news(my);
        if (made) detail::unmount_unused(my);
        deliver(reply, made);
      });
}

void remove(const snapshotter_shell& my, const std::string& name,
            caf::typed_response_promise<snapshots_cleaned> reply) {
  const auto gone = my.tools->records.remove(my.index().remove(name));
  if (!gone) return refuse(reply, gone.error());
  if (gone->remote) {
    --my.state().news.remote;
    my.state().manifests.reset();
  }
  detail::tell_news(my);
  detail::show_from_others(my);
  detail::unmount_unused(my);
  if (gone->remote) {
    detail::forget_unused(my);
    return deliver(reply, result<snapshots_cleaned>(snapshots_cleaned{}));
  }
  my.state().removing.insert(gone->id);
  run_on(
      my.tools->workers.next(), my.self,
      [tools = my.tools, id = gone->id] { return tools->folders.remove(id); },
      [=, id = gone->id](const result<void>& removed) {
        my.state().removing.erase(id);
        // It is no snapshot any more: what is left goes with the next clean-up.
        if (!removed) spdlog::warn("files of snapshot {} stay behind: {}", name, to_string(removed.error()));
        deliver(reply, result<snapshots_cleaned>(snapshots_cleaned{}));
      });
}

result<snapshot_list> list(const snapshotter_shell& my, const std::vector<std::string>& filters) {
  const auto& limits = my.tools->options.snapshots;
  if (filters.size() > limits.filters_max) return fail(errc::limit_exceeded, "filters_max: too many filters");
  for (const auto& filter : filters)
    if (filter.size() > limits.filter_bytes_max)
      return fail(errc::limit_exceeded, "filter_bytes_max: a filter is too long");
  const auto filter = snapshot_filter::parse(filters, [&](const std::string& expression) {
    return compile_filter_pattern(expression, limits.pattern_bytes_max);
  });
  if (!filter) return tl::unexpected(filter.error());
  snapshot_list found;
  my.index().each([&](const snapshot_record& record) {
    if (filter->matches(record)) found.snapshots.push_back(record);
  });
  return found;
}

/// Folders of snapshots that are not served stay: which they are is not known. A folder that a worker is
/// removing is left to it: each of the two would fail of what the other has removed.
result<void> clean_folders(const snapshotter_shell& my) {
  if (!my.tools->records.unserved().empty()) return {};
  auto kept = ids(my.index());
  kept.insert(my.state().removing.begin(), my.state().removing.end());
  return my.tools->folders.keep_only(kept);
}

/// A new snapshot must not have the folder of one whose record cannot be read.
void skip_ids_of_folders(const snapshotter_shell& my) {
  if (my.tools->records.unserved().empty()) return;
  const auto there = my.tools->folders.ids();
  if (!there) return spdlog::error("folders of snapshots: {}", to_string(there.error()));
  if (!there->empty()) my.tools->records.skip_ids(*there->rbegin());
}

result<snapshots_cleaned> clean(const snapshotter_shell& my) {
  detail::show_from_others(my);
  detail::adopt_mounts(my);
  detail::forget_unused(my);
  return clean_folders(my).map([] { return snapshots_cleaned{}; });
}

/// What an earlier process has left is no reason not to serve.
void start(const snapshotter_shell& my) {
  auto& state = my.state();
  state.news.socket = my.tools->options.socket.string();
  state.fallen_back = image_fallbacks(my.tools->options.fallbacks_max);
  my.index().each([&](const snapshot_record& record) { state.news.remote += record.remote ? 1 : 0; });
  state.listener = detail::make_client(my);
  skip_ids_of_folders(my);
  if (const auto cleaned = clean_folders(my); !cleaned)
    spdlog::warn("files of removed snapshots stay behind: {}", to_string(cleaned.error()));
  detail::tell_news(my);
  detail::show_from_others(my);
  detail::adopt_mounts(my);
  detail::forget_unused(my);
}

}  // namespace

progress_listener detail::make_client(const snapshotter_shell& my) {
  return my.self->system().spawn(
      []() -> progress_listener::behavior_type { return {[](const admin_message&) {}}; });
}

void detail::tell_news(const snapshotter_shell& my) {
  auto& news = my.state().news;
  news.count = static_cast<std::uint32_t>(my.index().size());
  if (!my.state().manifests)
    my.state().manifests = std::make_shared<const std::set<digest>>(needs_of(my).manifests);
  caf::anon_send(my.tools->news_to, snapshot_news{news, tell_damage(my), my.state().manifests});
}

clocked_snapshotter::behavior_type make_snapshotter(
    clocked_snapshotter::stateful_pointer<snapshotter_state> self, std::shared_ptr<snapshotter_tools> tools) {
  const snapshotter_shell my{self, std::move(tools)};
  self->set_exit_handler([my](caf::exit_msg& message) {
    my.self->send_exit(my.state().listener, message.reason);
    my.self->quit(message.reason);
  });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  start(my);
  return {
      [=](const make_snapshot& asked) {
        auto reply = self->make_response_promise<snapshot_mount_list>();
        detail::make(my, asked, reply);
        return reply;
      },
      [=](const mount_snapshot& asked) {
        auto reply = self->make_response_promise<snapshot_mount_list>();
        detail::mount(my, asked, reply);
        return reply;
      },
      [=](const commit_snapshot& asked) {
        auto reply = self->make_response_promise<snapshot_record>();
        commit(my, asked, reply);
        return reply;
      },
      [=](const remove_snapshot& asked) {
        auto reply = self->make_response_promise<snapshots_cleaned>();
        remove(my, asked.name, reply);
        return reply;
      },
      [=](const find_snapshot& asked) { return answer(my.index().find(asked.name)); },
      [=](const update_snapshot& asked) {
        return answer(my.tools->records.apply(
            my.index().update(asked.name, asked.labels, asked.fields, my.tools->now_ns())));
      },
      [=](const list_snapshots& asked) { return answer(list(my, asked.filters)); },
      [=](const measure_snapshot& asked) {
        auto reply = self->make_response_promise<snapshot_usage>();
        detail::measure(my, asked.name, reply);
        return reply;
      },
      [=](clean_snapshots) { return answer(clean(my)); },
      [=](const forget_snapshot_record& asked) { return answer(detail::forget_damaged(my, asked.name)); },
      [=](caf::tick_atom) {
        for (const auto& what : std::exchange(self->state.later, {})) what();
      },
  };
}

}  // namespace firstlight
