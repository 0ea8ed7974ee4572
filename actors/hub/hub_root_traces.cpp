#include "actors/hub/hub_root_shell.hpp"
#include "schemas/trace_codec.hpp"

namespace firstlight::detail {
namespace {

void note_refused_file(const hub_shell& my, const error& why) {
  auto& refused = my.self->state.refused;
  if (!refused_for_good(why.code)) return;
  ++refused.count;
  refused.why.insert(refused.why.begin(), "import: " + to_string(why));
  if (refused.why.size() > my.tools->learning.refusals_shown_max) refused.why.pop_back();
}

void import_next(const hub_shell& my, std::shared_ptr<const admin_trace_import> asked, std::size_t next,
                 std::shared_ptr<admin_trace_imported> so_far, admin_promise reply) {
  if (next == asked->files.size()) return deliver(reply, *so_far);
  const auto go_on = [=](const std::optional<error>& failure) {
    if (failure)
      so_far->refused.push_back("file " + std::to_string(asked->first + next) + ": " + failure->detail);
    else
      ++so_far->added;
    import_next(my, asked, next + 1, so_far, reply);
  };
  run_on(
      my.tools->trace_readers.next(), my.self,
      [tools = my.tools, asked, next] {
        return trace_to_import(tools->trace_tools(), asked->files[next], asked->platform);
      },
      [=](const result<std::optional<trace>>& read) {
        if (!read) note_refused_file(my, read.error());
        if (!read) return go_on(read.error());
        if (!*read) {
          ++so_far->known;
          return import_next(my, asked, next + 1, so_far, reply);
        }
        my.self->request(my.tools->aggregator, caf::infinite, trace_report{share(encode_trace(**read)), {}})
            .then([=](trace_kept) { go_on(std::nullopt); },
                  [=](const caf::error& problem) { go_on(from_caf(problem)); });
      });
}

}  // namespace

void list_traces_for(const hub_shell& my, admin_promise reply) {
  my.self->request(my.tools->aggregator, my.tools->report_timeout, caf::get_atom_v)
      .then(
          [=](const aggregator_status& counted) {
            const auto read = [counted, files = my.self->state.refused](const hub_trace_tools& tools,
                                                                        const admin_trace_list_request&) {
              return list_traces(tools).map([&](admin_trace_list&& list) {
                list.received = counted.received;
                list.repeated = counted.repeated;
                list.refused = counted.refused + files.count;
                list.refusals = counted.refusals;
                list.refusals.insert(list.refusals.end(), files.why.begin(), files.why.end());
                return std::move(list);
              });
            };
            answer_from_traces(my, admin_trace_list_request{}, read, reply);
          },
          [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

void remove_traces_for(const hub_shell& my, const admin_trace_remove& asked, admin_promise reply) {
  run_on(
      my.tools->trace_readers.next(), my.self,
      [tools = my.tools, asked] { return remove_traces(tools->trace_tools(), asked); },
      [my, reply](const result<removed_traces>& removed) {
        if (!removed) return refuse(reply, removed.error());
        for (const auto& image : removed->images) my.self->send(my.tools->aggregator, learn_again{image});
        deliver(reply, admin_trace_removed{removed->traces});
      });
}

void import_traces_for(const hub_shell& my, const admin_trace_import& asked, admin_promise reply) {
  import_next(my, std::make_shared<const admin_trace_import>(asked), 0,
              std::make_shared<admin_trace_imported>(), std::move(reply));
}

}  // namespace firstlight::detail
