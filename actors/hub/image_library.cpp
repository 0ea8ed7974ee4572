#include "actors/hub/image_library.hpp"

#include <spdlog/spdlog.h>

#include "actors/hub/library_questions.hpp"
#include "actors/hub/library_removals.hpp"
#include "actors/hub/library_turns.hpp"
#include "model/freshness.hpp"

namespace firstlight {
namespace {

using self_pointer = image_library::stateful_pointer<library_state>;
using key = library_key;

std::chrono::milliseconds since_epoch() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

/// What was asked, by whom.
struct library_call {
  resolve_image asked;
  canonical_question canonical;
  pull_listener listener;
};

result<known_image> opened(const library_tools& tools, const image_record& record) {
  auto toc = tools.catalogue.toc(record.toc);
  if (!toc) return tl::unexpected(toc.error());
  auto order = tools.catalogue.order(record.toc);
  if (!order) return tl::unexpected(order.error());
  return known_image{record, *toc, std::make_shared<const stored_order>(std::move(*order)), false, {}};
}

void answer_all(self_pointer self, const key& where, const result<known_image>& answer) {
  const auto entry = self->state.open.extract(where);
  if (entry.empty()) return;
  for (auto& asker : entry.mapped().askers) {
    if (answer)
      asker.reply.deliver(*answer);
    else
      asker.reply.deliver(to_caf(answer.error()));
  }
}

/// The source's answer, or the last known one when the source is merely away.
result<known_image> settle(self_pointer self, const library_tools& tools, const key& where,
                           const result<image_record>& added) {
  self->state.last_known.erase(where);
  if (added) return opened(tools, *added);
  const bool away = added.error().code == errc::unavailable || added.error().code == errc::timed_out;
  auto known = tools.catalogue.find(where.first, where.second);
  if (!away || !known || !*known) return tl::unexpected(added.error());
  auto image = opened(tools, **known);
  if (!image) return image;
  image->last_known = true;
  image->last_error = to_string(added.error());
  spdlog::warn("{} is served as last known: {}", where.first, image->last_error);
  self->state.last_known[where] = {{**known, nullptr, nullptr, true, image->last_error}, self->clock().now()};
  return image;
}

void log_unlearned(const error& why) {
  spdlog::warn("a new image is not delivered as its starts would teach: {}", to_string(why));
}

/// What is asked of a source, for a worker.
struct source_question {
  library_tools tools;
  source_options source;
  add_image_request request;
  [[nodiscard]] add_image_tools with() const {
    return {tools.catalogue,       tools.contents, tools.layers,   source,
            tools.order_limits,    tools.traces,   tools.learning, log_unlearned,
            tools.store_bytes_max, tools.traced};
  }
};

source_question question_of(self_pointer self, const library_tools& tools, const canonical_question& asked,
                            const std::optional<image_caller>& caller) {
  const auto report = [me = caf::actor_cast<image_library>(self),
                       where = asked.where](const pull_progress& progress) {
    caf::anon_send(me, ingestion_status{where.first, where.second, progress, {}});
  };
  const add_image_request request{asked.reference,
                                  asked.wanted,
                                  asked.where.first,
                                  std::chrono::duration_cast<std::chrono::seconds>(since_epoch()).count(),
                                  report,
                                  tools.stop.get(),
                                  source_of_layers(tools, asked)};
  const auto& read = request.read_from ? *request.read_from : request.reference;
  return {tools, sources_for(tools, read, asked.asked, caller), request};
}

/// Adds an image; of those that its tag has meant before too many may be kept now.
result<image_record> add_and_forget(const source_question& question) {
  auto added = add_image(question.with(), question.request);
  if (!added) return added;
  if (const auto swept = question.tools.catalogue.forget_unnamed(); !swept)
    spdlog::warn("tables of contents that no tag names stay: {}", to_string(swept.error()));
  return added;
}

/// By what a refusal is remembered.
std::string asked_of(const canonical_question& asked) {
  return asked.reference.text() + ' ' + asked.wanted.text();
}

/// An image had no room: that is remembered, and what it brought goes. Of one that was refused unread nothing
/// came, and when it was tried stays as it is.
void note_refusal(self_pointer self, const library_tools& tools, const canonical_question& asked,
                  const std::optional<room_need>& before, const std::optional<room_need>& told) {
  if (told && told == before) return;
  if (told) self->state.refusals.note(asked_of(asked), *told, self->clock().now());
  want_sweep(self, tools);
}

void add(self_pointer self, const library_tools& tools, const worker_pool& workers, const worker& by,
         const canonical_question& asked, const std::optional<image_caller>& caller) {
  auto question = question_of(self, tools, asked, caller);
  const auto before = self->state.refusals.find(
      asked_of(asked), {tools.store_bytes_max, tools.contents.bytes_stored()}, self->clock().now());
  const auto told = std::make_shared<std::optional<room_need>>();
  question.request.refused = before;
  question.request.no_room = [told](const room_need& need) { *told = need; };
  run_on(
      by, self, [question] { return add_and_forget(question); },
      [=](const result<image_record>& added) {
        end_addition(self, by);
        answer_all(self, asked.where, settle(self, tools, asked.where, added));
        if (!added && added.error().code == errc::no_space) note_refusal(self, tools, asked, before, *told);
        take_turns(self, tools, workers);
      });
}

/// Adds it when that has its turn.
void add_later(self_pointer self, const library_tools& tools, const worker_pool& workers,
               const canonical_question& asked, const std::optional<image_caller>& caller) {
  add_in_turn(self, tools, workers,
              {asked.where, [=](const worker& by) { add(self, tools, workers, by, asked, caller); }});
}

/// One that has been removed since it was looked at is new.
void settle_look(self_pointer self, const library_tools& tools, const worker_pool& workers,
                 const canonical_question& asked, const std::optional<image_caller>& caller,
                 const result<std::optional<image_record>>& known) {
  if (known && !*known) return add_later(self, tools, workers, asked, caller);
  const auto answer =
      settle(self, tools, asked.where, known ? result<image_record>(**known) : tl::unexpected(known.error()));
  if (known && !answer && toc_is_lost(answer.error().code))
    return add_later(self, tools, workers, asked, caller);
  answer_all(self, asked.where, answer);
}

void look(self_pointer self, const library_tools& tools, const worker_pool& workers, const worker& by,
          const canonical_question& asked, const std::optional<image_caller>& caller) {
  if (const auto open = self->state.open.find(asked.where); open != self->state.open.end())
    open->second.status.progress.stage = "asking its source";
  run_on(
      by, self,
      [question = question_of(self, tools, asked, caller)] {
        return check_image(question.with(), question.request);
      },
      [=](const result<std::optional<image_record>>& known) {
        end_look(self, asked.reference.host, by);
        settle_look(self, tools, workers, asked, caller, known);
      });
}

/// Asks the source. What is known is mostly still right, and to see that needs no turn.
void look_up(self_pointer self, const library_tools& tools, const worker_pool& workers,
             const canonical_question& asked, const std::optional<image_caller>& caller) {
  const auto record = tools.catalogue.find(asked.where.first, asked.where.second);
  if (!record || !*record) return add_later(self, tools, workers, asked, caller);
  look_in_turn(self, asked.reference.host,
               [=](const worker& by) { look(self, tools, workers, by, asked, caller); });
}

result<std::optional<known_image>> known_by_toc(const library_tools& tools, const toc_id& id) {
  auto record = tools.catalogue.find_toc(id);
  if (!record) return tl::unexpected(record.error());
  if (!*record) return std::nullopt;
  return opened(tools, **record);
}

/// What is remembered of the source's being away, for a node; the hub's own administrator has it asked anew.
std::optional<last_known_image> found_away(self_pointer self, const library_call& call) {
  const auto last = self->state.last_known.find(call.canonical.where);
  if (!call.asked.caller || last == self->state.last_known.end()) return std::nullopt;
  return last->second;
}

/// What is known, when that is good enough.
result<std::optional<known_image>> known_and_fresh(self_pointer self, const library_tools& tools,
                                                   const library_call& call) {
  const auto& asked = call.canonical;
  auto record = tools.catalogue.find(asked.where.first, asked.where.second);
  if (!record) return tl::unexpected(record.error());
  // An image that was added under another name is found by its digest.
  if (!*record && asked.reference.pinned && asked.reference.layers == 0)
    record = find_pinned(tools, asked.reference);
  if (!record) return tl::unexpected(record.error());
  if (!*record) return std::nullopt;
  freshness_question question{.checked_at = std::chrono::seconds((*record)->checked_at),
                              .pinned = asked.reference.pinned.has_value(),
                              .now = since_epoch(),
                              .interval = call.asked.look == source_look::now ? std::chrono::milliseconds(0)
                                                                              : tools.tag_check_interval};
  const auto away = found_away(self, call);
  if (away)
    question.away_for =
        std::chrono::duration_cast<std::chrono::milliseconds>(self->clock().now() - away->found_away);
  const auto decided = decide_freshness(question);
  if (decided == freshness::check) return std::nullopt;
  auto image = opened(tools, **record);
  // Deliveries could not send what the store has lost. That is looked for when it is likely.
  const bool doubtful = call.asked.look == source_look::now || tools.contents.lost_at_opening() > 0;
  if (image && doubtful && !holds_all(tools.contents, *image->toc)) return std::nullopt;
  if (image && decided == freshness::use_last_known) {
    image->last_known = true;
    image->last_error = away->image.last_error;
  }
  if (image) return std::optional<known_image>(std::move(*image));
  if (toc_is_lost(image.error().code)) return std::nullopt;  // its source has what makes it anew
  return tl::unexpected(image.error());
}

template <class T>
void refuse(caf::typed_response_promise<T> reply, const error& why) {
  reply.deliver(to_caf(why));
}

result<library_status> status_of(self_pointer self, const library_tools& tools) {
  auto images = tools.catalogue.list();
  if (!images) return tl::unexpected(images.error());
  auto unreadable = tools.catalogue.unreadable();
  if (!unreadable) return tl::unexpected(unreadable.error());
  library_status status{std::move(*images), {}, {}, std::move(*unreadable)};
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [where, open] : self->state.open) {
    status.ingestions.push_back(open.status);
    status.ingestions.back().elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - open.since);
  }
  for (const auto& [where, last] : self->state.last_known) status.last_known.push_back(last.image);
  return status;
}

using image_promise = caf::typed_response_promise<known_image>;

/// Answers with what is known, or looks it up; one that is looked up is looked up once, however many ask.
void resolve(self_pointer self, const library_tools& tools, const worker_pool& workers,
             const library_call& call, image_promise reply) {
  const auto& [asked, question, listener] = call;
  auto fresh = asked.toc ? known_by_toc(tools, *asked.toc) : result<std::optional<known_image>>(std::nullopt);
  if (fresh && !*fresh && asked.toc && asked.caller &&
      tools.guard)  // what may be read is this and nothing else
    return refuse(reply, {errc::busy, question.where.first + " has just been removed; try again"});
  if (fresh && !*fresh) fresh = known_and_fresh(self, tools, call);
  if (!fresh) return refuse(reply, fresh.error());
  if (*fresh) {
    reply.deliver(std::move(**fresh));
    return;
  }
  auto& open = self->state.open[question.where];
  open.askers.push_back({reply, listener, asked.delivery});
  if (open.askers.size() > 1) {
    self->send(listener, incoming_progress{asked.delivery, open.status.progress});
    return;
  }
  open.since = std::chrono::steady_clock::now();
  open.status = {question.where.first, question.where.second, {"waiting for its turn", 0, 0}, {}};
  look_up(self, tools, workers, question, asked.caller);
}

void resolve_if_allowed(self_pointer self, const library_tools& tools, const worker_pool& workers,
                        library_call call, image_promise reply) {
  const auto record = record_for(tools, call.asked, call.canonical);
  if (!record) return refuse(reply, record.error());
  // An answer by reference is another one than that by table of contents, and so is the question.
  if (!*record || (*record)->toc != call.asked.toc) call.asked.toc.reset();
  const auto read = what_must_be_readable(tools, *record, call.canonical.reference,
                                          call.asked.toc.has_value(), since_epoch());
  if (!read) return refuse(reply, read.error());
  if (!*read) return resolve(self, tools, workers, call, reply);
  const auto& caller = *call.asked.caller;
  const auto login = login_for(**read, call.canonical.asked, caller.login);
  self->request(tools.guard, caf::infinite, check_access{**read, login, caller.node, call.asked.toc})
      .then([=](access_granted) { resolve(self, tools, workers, call, reply); },
            [reply](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

template <class T>
caf::result<T> as_reply(result<T> outcome) {
  if (!outcome) return to_caf(outcome.error());
  return std::move(*outcome);
}

}  // namespace

image_library::behavior_type make_image_library(self_pointer self, library_tools tools, worker_pool workers) {
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->state.refusals = room_refusals(tools.refusals);
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  set_up_turns(self, tools, workers);
  finish_earlier_sweep(self, tools, workers);
  return {
      [=](const resolve_image& asked, const pull_listener& listener) -> caf::result<known_image> {
        const auto question = canonical(tools, asked);
        if (!question) return to_caf(question.error());
        auto reply = self->make_response_promise<known_image>();
        if (asked.caller && tools.guard)
          resolve_if_allowed(self, tools, workers, {asked, *question, listener}, reply);
        else
          resolve(self, tools, workers, {asked, *question, listener}, reply);
        return reply;
      },
      [=](caf::get_atom) -> caf::result<library_status> { return as_reply(status_of(self, tools)); },
      [=](const remove_image& which) -> caf::result<image_removed> {
        auto reply = self->make_response_promise<image_removed>();
        remove_in_turn(self, tools, workers, which, reply);
        return reply;
      },
      [=](const ingestion_status& news) { tell(self, news); },
      [=](const removal_overdue& what) { give_up_removal(self, tools, workers, what); },
      [=](const turns_due& due) { take_turns_due(self, tools, workers, due); },
  };
}

}  // namespace firstlight
