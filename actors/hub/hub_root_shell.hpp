#pragma once
#include "actors/hub/hub_root.hpp"

/// The parts of the hub's root: what they share, and what each does. Internal to actors/hub/.
namespace firstlight::detail {

using admin_promise = caf::typed_response_promise<admin_message>;

/// What every answer needs; cheap to copy into continuations.
struct hub_shell {
  hub_root::stateful_pointer<hub_root_state> self;
  std::shared_ptr<const hub_root_tools> tools;
};

inline void deliver(admin_promise reply, const admin_reply& what) {
  reply.deliver(admin_message{encode(what)});
}
inline void refuse(admin_promise reply, const error& why) {
  reply.deliver(to_caf(why));
}

// ---- traces (hub_root_traces.cpp) ---------------------------------------------------------------

/// Answers with what `read(tools, asked)` gives, on a worker.
template <class Asked, class Read>
void answer_from_traces(const hub_shell& my, const Asked& asked, Read read, admin_promise reply) {
  run_on(
      my.tools->trace_readers.next(), my.self,
      [tools = my.tools, asked, read] { return read(tools->trace_tools(), asked); },
      [reply](const auto& answer) {
        if (answer)
          deliver(reply, *answer);
        else
          refuse(reply, answer.error());
      });
}

/// With the counters of the aggregator.
void list_traces_for(const hub_shell& my, admin_promise reply);

/// Images that have learned from what is removed are learned anew.
void remove_traces_for(const hub_shell& my, const admin_trace_remove& asked, admin_promise reply);

/// Takes one file after another in; what is refused does not keep the others out.
void import_traces_for(const hub_shell& my, const admin_trace_import& asked, admin_promise reply);

}  // namespace firstlight::detail
