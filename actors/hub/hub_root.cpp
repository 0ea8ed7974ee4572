#include "actors/hub/hub_root_shell.hpp"

#include <fstream>

#include "actors/hub/hub_reports.hpp"
#include "actors/operations.hpp"
#include "model/link_advice.hpp"
#include "model/overloaded.hpp"
#include "schemas/protocol_version.hpp"

namespace firstlight {
namespace {

using self_pointer = hub_root::stateful_pointer<hub_root_state>;
using detail::answer_from_traces;
using detail::deliver;
using detail::import_traces_for;
using detail::list_traces_for;
using detail::refuse;
using detail::remove_traces_for;
using reply_promise = detail::admin_promise;
using shell = detail::hub_shell;

/// Passes the library's progress on to the one who asked over the socket.
pull_listener::behavior_type make_relay(pull_listener::pointer self, progress_listener to) {
  self->monitor(to);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  return {[self, to](const incoming_progress& news) {
    self->send(to, admin_message{
                       encode(admin_progress{news.progress.stage, news.progress.done, news.progress.total})});
  }};
}

void add(const shell& my, const admin_image_add& asked, const progress_listener& listener,
         reply_promise reply) {
  auto relay = my.self->spawn(make_relay, listener);
  my.self
      ->request(my.tools->library, caf::infinite,
                resolve_image{asked.reference, asked.platform, asked.name, 0, {}, {}, source_look::now},
                relay)
      .then(
          [my, reply, relay](const known_image& image) mutable {
            caf::anon_send_exit(relay, caf::exit_reason::normal);
            my.self->state.events.note("image added", image.record.reference);
            deliver(reply, report(image));
          },
          [reply, relay](caf::error& problem) mutable {
            caf::anon_send_exit(relay, caf::exit_reason::normal);
            reply.deliver(std::move(problem));
          });
}

/// Writes an image that the library has given to a file.
void save(const shell& my, const admin_bundle_save& asked, const known_image& image,
          const progress_listener& listener, reply_promise reply) {
  const auto reference = parse_image_reference(asked.references.front());
  if (!reference) return refuse(reply, reference.error());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const save_bundle_request request{
      .image = image,
      .reference = reference->text(),
      .file = asked.file,
      .now = std::chrono::duration_cast<std::chrono::seconds>(now).count(),
      .progress =
          [listener](const pull_progress& news) {
            caf::anon_send(listener,
                           admin_message{encode(admin_progress{news.stage, news.done, news.total})});
          },
      .stop = my.tools->stop.get()};
  run_on(
      my.tools->savers.next(), my.self,
      [tools = my.tools, request] {
        return save_bundle({tools->preparation, tools->builder}, request);
      },
      [reply, file = asked.file](const result<saved_bundle>& saved) {
        if (saved)
          deliver(reply, admin_bundle{file, {saved->reference}, saved->bytes});
        else
          refuse(reply, saved.error());
      });
}

void resolve_and_save(const shell& my, const admin_bundle_save& asked, const progress_listener& listener,
                      reply_promise reply) {
  if (asked.references.size() != 1)
    return refuse(reply,
                  {errc::invalid_argument, "a bundle file holds one image; save each to its own file"});
  auto relay = my.self->spawn(make_relay, listener);
  my.self
      ->request(my.tools->library, caf::infinite,
                resolve_image{asked.references.front(), asked.platform, {}, 0, {}}, relay)
      .then(
          [=](const known_image& image) {
            caf::anon_send_exit(relay, caf::exit_reason::normal);
            save(my, asked, image, listener, reply);
          },
          [=](caf::error& problem) mutable {
            caf::anon_send_exit(relay, caf::exit_reason::normal);
            reply.deliver(std::move(problem));
          });
}

void list(const shell& my, reply_promise reply) {
  my.self->request(my.tools->library, caf::infinite, caf::get_atom_v)
      .then(
          [reply](const library_status& status) {
            admin_image_list images;
            for (const auto& record : status.images) images.images.push_back(report(record));
            deliver(reply, images);
          },
          [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

result<admin_image_detail> detail_of(const hub_root_tools& tools, const admin_image_show& asked) {
  auto reference = parse_image_reference(asked.reference);
  if (!reference) return tl::unexpected(reference.error());
  auto wanted = parse_platform(asked.platform);
  if (!wanted) return tl::unexpected(wanted.error());
  auto record = tools.catalogue.find(reference->text(), wanted->text());
  if (!record) return tl::unexpected(record.error());
  if (!*record)
    return fail(errc::not_found, "image " + reference->text() + " (" + wanted->text() +
                                     ") is not known; add it with 'firstlight image add " + asked.reference +
                                     "'");
  auto toc = tools.catalogue.toc((*record)->toc);
  if (!toc) return tl::unexpected(toc.error());
  return report_detail(known_image{**record, *toc, nullptr, false, {}});
}

void remove(const shell& my, const admin_image_remove& asked, reply_promise reply) {
  my.self->request(my.tools->library, caf::infinite, remove_image{asked.reference, asked.platform})
      .then([reply](image_removed) { deliver(reply, admin_done{}); },
            [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

// ---- status ------------------------------------------------------------------------------------

admin_hub_status basics(const shell& my, const library_status& library) {
  const auto& tools = *my.tools;
  const auto cache = tools.segments.count();
  const bool draining = *tools.draining;
  const auto uptime = std::chrono::steady_clock::now() - my.self->state.started;
  admin_hub_status status{
      .version = tools.version,
      .protocol_version = protocol_version,
      .name = tools.name,
      .listen = my.self->state.listen,
      .uptime_ms =
          static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count()),
      .images = static_cast<std::uint32_t>(library.images.size()),
      .store_bytes = tools.contents.bytes_stored(),
      .store_bytes_max = tools.store_bytes_max,
      .segments_made = cache.builds,
      .segments_reused = cache.hits,
      .segments_dense = cache.put,
  };
  tools.contents.for_each([&](const content_info&, content_state) { ++status.contents; });
  status.draining = draining;
  if (draining) status.notices.push_back("this hub drains: new pulls are refused");
  if (!library.unreadable.empty()) status.notices.push_back(report_unreadable(library.unreadable));
  for (const auto& ingestion : library.ingestions) status.ingestions.push_back(report(ingestion));
  for (const auto& image : library.last_known) status.last_known.push_back(report(image));
  if (cache.write_failures > 0)
    status.notices.push_back("built segments cannot be kept on disk (" +
                             std::to_string(cache.write_failures) +
                             " times): every node costs CPU again; free some space");
  return status;
}

/// Answers once all that were asked have answered, or have not in time: then they are left out.
struct status_collection {
  admin_hub_status status;
  std::size_t open = 1;
  reply_promise reply;

  void settle() {
    if (--open == 0) deliver(reply, status);
  }
};
using collection_ptr = std::shared_ptr<status_collection>;

/// Asks one actor for its report; `take(report)` puts it into the status.
template <class Report, class Handle, class Take>
void collect(const shell& my, const collection_ptr& so_far, const Handle& whom, Take take) {
  ++so_far->open;
  my.self->request(whom, my.tools->report_timeout, caf::get_atom_v)
      .then(
          [so_far, take](const Report& report) {
            take(so_far->status, report);
            so_far->settle();
          },
          [so_far](const caf::error&) { so_far->settle(); });
}

/// The kernel's setting; its own default where it does not say.
bool slow_start_after_idle() {
  std::string value;
  std::ifstream("/proc/sys/net/ipv4/tcp_slow_start_after_idle") >> value;
  return value != "0";
}

void take_session(admin_hub_status& status, const session_report& session, const node_identity& who) {
  status.connections += 1 + session.bulk.connections;
  if (who.is_hub) {
    ++status.joined_hubs;
    return;
  }
  status.nodes.push_back(report(session, who));
  if (session.bulk.connections == 0) return;
  const auto advice = link_advice(who.name, {session.bulk.congestion_control, slow_start_after_idle()});
  if (!advice.empty()) status.notices.push_back(advice);
}

void gather(const shell& my, const library_status& library, reply_promise reply) {
  const auto so_far = std::make_shared<status_collection>(status_collection{basics(my, library), 1, reply});
  for (const auto& [address, opened] : my.self->state.sessions)
    collect<session_report>(my, so_far, opened.session,
                            [who = opened.who](admin_hub_status& status, const session_report& session) {
                              take_session(status, session, who);
                            });
  for (const auto& peer : my.tools->peers)
    collect<admin_peer>(my, so_far, peer, [](admin_hub_status& status, const admin_peer& said) {
      status.peers.push_back(said);
    });
  collect<aggregator_status>(my, so_far, my.tools->aggregator,
                             [my](admin_hub_status& status, const aggregator_status& counted) {
                               status.traces_received = counted.received;
                               status.traces_refused = counted.refused + my.self->state.refused.count;
                               status.orders_learned = counted.learned;
                             });
  so_far->settle();
}

void status(const shell& my, reply_promise reply) {
  my.self->request(my.tools->library, caf::infinite, caf::get_atom_v)
      .then([my, reply](const library_status& library) { gather(my, library, reply); },
            [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

void carry_out(const shell& my, const admin_request& request, const progress_listener& listener,
               reply_promise reply) {
  std::visit(
      overloaded{
          [&](const admin_image_add& asked) { add(my, asked, listener, reply); },
          [&](const admin_image_list_request&) { list(my, reply); },
          [&](const admin_image_show& asked) {
            auto detail = detail_of(*my.tools, asked);
            if (detail)
              deliver(reply, *detail);
            else
              refuse(reply, detail.error());
          },
          [&](const admin_image_remove& asked) { remove(my, asked, reply); },
          [&](const admin_hub_status_request&) { status(my, reply); },
          [&](const admin_bundle_save& asked) { resolve_and_save(my, asked, listener, reply); },
          [&](const admin_drain& asked) {
            if (my.tools->draining->exchange(asked.on) != asked.on)
              my.self->state.events.note(asked.on ? "draining" : "not draining", my.tools->name);
            deliver(reply, admin_done{});
          },
          [&](const admin_log_level& asked) {
            const auto set = set_log_level(asked);
            set ? deliver(reply, *set) : refuse(reply, set.error());
          },
          [&](const admin_events_request& asked) { my.self->state.events.tell(asked, reply); },
          [&](const admin_trace_list_request&) { list_traces_for(my, reply); },
          [&](const admin_trace_show& asked) { answer_from_traces(my, asked, show_traces, reply); },
          [&](const admin_trace_export& asked) { answer_from_traces(my, asked, export_traces, reply); },
          [&](const admin_trace_score& asked) { answer_from_traces(my, asked, score_traces, reply); },
          [&](const admin_trace_remove& asked) { remove_traces_for(my, asked, reply); },
          [&](const admin_trace_import& asked) { import_traces_for(my, asked, reply); },
          [&](const auto&) {
            refuse(reply, {errc::unsupported, "this is a hub; ask the node's daemon (--socket)"});
          },
      },
      request);
}

}  // namespace

hub_root::behavior_type make_hub_root(self_pointer self, hub_root_tools tools) {
  self->state.started = std::chrono::steady_clock::now();
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  self->set_down_handler([self](const caf::down_msg& down) {
    const auto session = self->state.sessions.extract(down.source);
    if (session) self->state.events.note("node left", session.mapped().who.name);
  });
  const shell my{self, std::make_shared<const hub_root_tools>(std::move(tools))};
  return {
      [=](const admin_message& message, const progress_listener& listener) -> caf::result<admin_message> {
        const auto request = decode_admin_request(message.bytes.bytes);
        if (!request) return to_caf(request.error());
        auto reply = self->make_response_promise<admin_message>();
        carry_out(my, *request, listener, reply);
        return reply;
      },
      [=](const session_opened& opened) {
        self->monitor(opened.session);
        self->state.events.note(opened.who.is_hub ? "hub joined" : "node joined", opened.who.name);
        self->state.sessions.emplace(opened.session.address(), opened);
      },
      [=](const listening& where) { self->state.listen = where.address; },
      [=](const trace_added& news) { self->state.events.note("trace", news.id.value.hex().substr(0, 12)); },
      [=](const order_learned& news) {
        self->state.events.note("order learned", "image " + news.toc.value.hex().substr(0, 12) + " from " +
                                                     std::to_string(news.order->traces) + " starts");
        for (const auto& [address, opened] : self->state.sessions) self->send(opened.session, news);
      },
  };
}

}  // namespace firstlight
