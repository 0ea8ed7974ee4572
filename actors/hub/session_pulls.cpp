#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/hub/joint_deliveries.hpp"
#include "actors/hub/session_shell.hpp"

namespace firstlight::detail {
namespace {

void refuse(const session_shell& my, const pull_under_way& pull, caf::error why) {
  my.state().answering.erase(pull.request.delivery);
  auto reply = pull.reply;
  reply.deliver(std::move(why));
}

/// Where it waits for its plan, or the end.
auto find_unplanned(const session_shell& my, std::uint64_t ticket) {
  auto& waiting = my.state().to_plan;
  return std::find_if(waiting.begin(), waiting.end(), [&](const auto& one) { return one.ticket == ticket; });
}

void plan_next(const session_shell& my);

/// Whoever waits for its plan is told why there is none, at once or when the planner is done with it. Others
/// must not wait for it.
void refuse_unplanned(const session_shell& my, std::uint64_t ticket, std::uint64_t id,
                      const caf::error& why) {
  if (const auto under_way = my.state().answering.find(id); under_way != my.state().answering.end())
    under_way->second = from_caf(why);
  if (const auto found = find_unplanned(my, ticket); found != my.state().to_plan.end()) {
    refuse(my, found->pull, why);
    my.state().to_plan.erase(found);
  }
  plan_next(my);
}

void send_toc(const session_shell& my, std::uint64_t ticket, const pull_request& request, toc_frame toc) {
  const auto id = request.delivery;
  spdlog::info("delivery {} of {} to {}: {} of the table of contents {} bytes", id, request.reference,
               my.state().totals.node, toc.part == toc_part::tree ? "tree" : "contents",
               toc.frame.bytes.size());
  const part_received part{id, toc.part};
  const auto token = take_credit(my, part, toc.frame.bytes.size());
  my.self->request(my.link, caf::infinite, outgoing_toc{id, std::move(toc)})
      .then(
          [=](const delivered& answer) {
            answered(my, part, token);
            if (answer.answer.failure) give_up(my, id, *answer.answer.failure);
            pump(my);
          },
          [=](const caf::error& problem) {
            answered(my, part, token);
            refuse_unplanned(my, ticket, id, problem);
            give_up(my, id, from_caf(problem));
            pump(my);
          });
}

/// Plans what has not left anew.
void reorder(const session_shell& my, std::uint64_t id) {
  auto& deliveries = my.state().deliveries;
  deliveries.at(id).core.reorder(joint_order(deliveries, id));
}

/// Makes a delivery part of the joint bundle: what it has borrowed comes as early as its start needs it.
void join(const session_shell& my, std::uint64_t id,
          const std::map<toc_id, std::chrono::milliseconds>& offsets) {
  auto& deliveries = my.state().deliveries;
  for (auto& [other, running] : deliveries)
    if (const auto known = offsets.find(running.image.record.toc); known != offsets.end())
      running.offset = known->second;
  for (const auto from : lenders_of(deliveries, id)) reorder(my, from);
}

pull_started start(const session_shell& my, const pull_under_way& pull, const known_image& image,
                   const prepared_delivery& prepared) {
  const auto& request = pull.request;
  const auto id = request.delivery;
  running_delivery running{.core = {prepared.plan, prepared.contents, image.toc->geometry(),
                                    my.tools->limits.cut, my.tools->limits.delivery},
                           .image = image,
                           .contents = prepared.contents,
                           .borrowed = prepared.borrowed,
                           .offset = {},
                           .platform = request.platform,
                           .in_use = pull.in_use,
                           .segments_total = prepared.started.segments,
                           .wire_bytes = 0,
                           .since = my.now(),
                           .rate = rate_window(my.now())};
  my.state().deliveries.insert_or_assign(id, std::move(running));
  join(my, id, prepared.offsets);
  if (const auto news = pull.learned->find(image.record.toc); news != pull.learned->end())
    learn(my, {news->first, news->second});
  spdlog::info("delivery {} of {} to {}: {} segments", id, image.record.reference, my.state().totals.node,
               prepared.started.segments);
  conclude(my, id);  // a node that has everything gets its landmarks at once
  pump(my);
  return prepared.started;
}

/// All that run, and those that have brought all since the node looked up what it has.
std::vector<lender> lenders_for(const session_shell& my, const pull_under_way& pull) {
  auto lenders = lenders_among(my.state().deliveries);
  const auto& beside = pull.request.beside;
  for (const auto& one : my.state().completed)
    if (std::find(beside.begin(), beside.end(), one.delivery) != beside.end()) lenders.push_back(one);
  return lenders;
}

/// Why the node does not get it any more: it has cancelled the pull, or it cannot have it. Others must not
/// wait for what it would have brought.
std::optional<error> why_not(const session_shell& my, std::uint64_t id) {
  const auto found = my.state().answering.find(id);
  if (found == my.state().answering.end()) return error{errc::cancelled, "the node has cancelled this pull"};
  return found->second;
}

/// One at a time, in the order in which they came, so that each knows what those before it bring, and of a
/// joint bundle the stream begins with what was asked for first.
void plan_next(const session_shell& my) {
  auto& state = my.state();
  if (state.planning || state.to_plan.empty() || !state.to_plan.front().toc_left) return;
  const auto next = std::move(state.to_plan.front());
  state.to_plan.pop_front();
  if (const auto why = why_not(my, next.pull.request.delivery)) {
    refuse(my, next.pull, to_caf(*why));
    return plan_next(my);
  }
  state.planning = true;
  run_on(
      my.tools->planners.next(), my.self,
      [tools = my.tools, image = next.image, request = next.pull.request,
       lenders = lenders_for(my, next.pull)] {
        return result<prepared_delivery>(prepare_delivery(tools->preparation, image, request, lenders));
      },
      [my, pull = next.pull, image = next.image](const result<prepared_delivery>& prepared) mutable {
        my.state().planning = false;
        const auto why =
            prepared ? why_not(my, pull.request.delivery) : std::optional<error>(prepared.error());
        if (why) {
          refuse(my, pull, to_caf(*why));
        } else {
          my.state().answering.erase(pull.request.delivery);
          pull.reply.deliver(start(my, pull, image, *prepared));
        }
        plan_next(my);
      });
}

/// First the TOC, so that the node can mount while the hub plans.
void begin(const session_shell& my, const pull_under_way& pull, const known_image& image) {
  const auto id = pull.request.delivery;
  if (const auto why = why_not(my, id)) return refuse(my, pull, to_caf(*why));
  if (my.tools->guard)
    my.self->send(my.tools->guard, delivery_allowed{my.state().totals.node, image.record.toc});
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const auto ticket = ++my.state().tickets;
  my.state().to_plan.push_back({ticket, pull, image});
  run_on(
      my.tools->openers.next(), my.self,
      [tools = my.tools, image, request = pull.request, now] {
        return prepare_toc(tools->preparation, image, request, now);
      },
      [my, id, ticket, request = pull.request](result<std::vector<toc_frame>> toc) {
        if (const auto why = toc ? why_not(my, id) : std::optional<error>(toc.error()))
          return refuse_unplanned(my, ticket, id, to_caf(*why));
        const auto waiting = find_unplanned(my, ticket);
        if (waiting == my.state().to_plan.end()) return;  // refused, and told so
        waiting->toc_left = true;
        for (auto& part : *toc) send_toc(my, ticket, request, std::move(part));
        plan_next(my);
      });
}

std::shared_ptr<orders_meanwhile> meanwhile(const session_shell& my) {
  auto orders = my.state().meanwhile.lock();
  if (!orders) my.state().meanwhile = orders = std::make_shared<orders_meanwhile>();
  return orders;
}

}  // namespace

caf::result<pull_started> take_pull(const session_shell& my, const pull_request& request,
                                    const pull_listener& listener) {
  end_warmup(my);
  const auto id = request.delivery;
  if (my.state().deliveries.contains(id) || !my.state().answering.emplace(id, std::nullopt).second)
    return to_caf({errc::protocol, "delivery " + std::to_string(id) + " is under way already"});
  pull_under_way pull{request, meanwhile(my), my.tools->turns->use(my.host),
                      my.self->make_response_promise<pull_started>()};
  pull.request.login.reset();  // it is needed for the answer only
  my.self
      ->request(my.tools->library, caf::infinite,
                resolve_image{request.reference,
                              request.platform,
                              {},
                              request.delivery,
                              request.toc,
                              image_caller{my.state().totals.node, request.login}},
                listener)
      .then([my, pull](const known_image& image) { begin(my, pull, image); },
            [my, pull](caf::error& problem) { refuse(my, pull, std::move(problem)); });
  return pull.reply;
}

void learn(const session_shell& my, const order_learned& news) {
  auto& deliveries = my.state().deliveries;
  if (const auto meanwhile = my.state().meanwhile.lock()) meanwhile->insert_or_assign(news.toc, news.order);
  std::set<std::uint64_t> changed;
  for (auto& [id, running] : deliveries) {
    if (running.image.record.toc != news.toc) continue;
    running.image.order = news.order;
    changed.insert(id);
    changed.merge(lenders_of(deliveries, id));
  }
  for (const auto id : changed) reorder(my, id);
}

void take_want(const session_shell& my, const want& wanted) {
  auto& deliveries = my.state().deliveries;
  if (!deliveries.contains(wanted.delivery)) return;  // it has just ended
  for (const auto& [id, runs] : route_wants(deliveries, wanted.delivery, wanted.runs))
    if (auto noted = deliveries.at(id).core.want(runs, wanted.how); !noted)
      spdlog::warn("{} wants what cannot be: {}", my.state().totals.node, to_string(noted.error()));
    else  // in the one that the node has named, as the node counts
      deliveries.at(wanted.delivery).wants += static_cast<std::uint32_t>(runs.size());
  pump(my);
}

}  // namespace firstlight::detail
