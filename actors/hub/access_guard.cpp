#include "actors/hub/access_guard.hpp"

#include <spdlog/spdlog.h>

#include "storage/sha256.hpp"

namespace firstlight {
namespace {

struct guard_shell {
  access_guard::stateful_pointer<access_guard_state> self;
  std::shared_ptr<const access_guard_tools> tools;

  [[nodiscard]] access_guard_state& state() const { return self->state; }
  [[nodiscard]] instant now() const { return self->clock().now(); }
};

/// Equal logins have equal hashes, and no part of one can be taken for another.
digest hash_of(const shared_login& login) {
  sha256_stream hash;
  const auto add = [&](std::string_view part) {
    const std::uint64_t size = part.size();
    hash.update(std::as_bytes(std::span(&size, 1)));
    hash.update(std::as_bytes(std::span(part)));
  };
  if (!login) return hash.finish();
  add(login->user);
  for (const auto* secret : {&login->password, &login->identity_token, &login->registry_token})
    add(secret->view());
  return hash.finish();
}

bool is_refusal(errc code) {
  return code == errc::denied || code == errc::not_found;
}

/// What the registry's answer means, and what is remembered of it.
std::optional<error> settle(const guard_shell& my, const access_key& key, const result<void>& answer) {
  auto& cache = *my.state().cache;
  if (answer) {
    cache.note(key, std::nullopt, my.now());
    return std::nullopt;
  }
  const auto& why = answer.error();
  if (is_refusal(why.code)) {
    cache.note(key, why, my.now());
    spdlog::info("a node may not read {}: {}", key.image, why.detail);
    return why;
  }
  if (!cache.allowed_before(key, my.now()))
    return error{errc::unavailable, "whether this node may read it cannot be asked: " + why.detail};
  spdlog::warn("access to {} counts as last allowed: {}", key.image, why.detail);
  return std::nullopt;
}

void answer_waiting(const guard_shell& my, const access_key& key, const result<void>& answer) {
  const auto waiting = std::move(my.state().open.extract(key).mapped());
  my.state().waiting -= static_cast<std::uint32_t>(waiting.size());
  const auto refusal = settle(my, key, answer);
  for (auto reply : waiting)
    if (refusal)
      reply.deliver(to_caf(*refusal));
    else
      reply.deliver(access_granted{});
}

/// A registry that is slow to answer, or away, keeps nobody from asking another one.
void ask_next(const guard_shell& my) {
  auto& state = my.state();
  while (auto next = state.questions->take()) {
    auto& [host, question] = *next;
    const auto asker = std::move(state.idle.back());
    state.idle.pop_back();
    run_on(
        asker, my.self,
        [tools = my.tools, image = question.image, login = question.login] {
          return tools->ask(image, login);
        },
        [my, asker, host = host, key = question.key](const result<void>& answer) {
          my.state().idle.push_back(asker);
          my.state().questions->done(host);
          answer_waiting(my, key, answer);
          ask_next(my);
        });
  }
}

caf::result<access_granted> check(const guard_shell& my, const check_access& asked) {
  auto& state = my.state();
  if (asked.going_on && state.cache->may_go_on(asked.node, *asked.going_on, my.now()))
    return access_granted{};
  const access_key key{hash_of(asked.login), asked.image.text(), asked.image.repository_text()};
  if (const auto known = state.cache->answer(key, my.now())) {
    if (*known) return to_caf(**known);
    return access_granted{};
  }
  if (state.waiting >= my.tools->options.waiting_max)
    return to_caf({errc::busy, "too many pulls wait for registries (access.waiting_max)"});
  auto& waiting = state.open[key];
  waiting.push_back(my.self->make_response_promise<access_granted>());
  ++state.waiting;
  const auto reply = waiting.back();
  if (waiting.size() > 1) return reply;
  state.questions->add(asked.image.host, {key, asked.image, asked.login});
  ask_next(my);
  return reply;
}

}  // namespace

access_guard::behavior_type make_access_guard(access_guard::stateful_pointer<access_guard_state> self,
                                              access_guard_tools tools) {
  self->state.cache.emplace(tools.options.times);
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  const guard_shell my{self, std::make_shared<const access_guard_tools>(std::move(tools))};
  const auto& askers = my.tools->askers;
  my.state().questions.emplace(askers.size(), my.tools->options.questions_per_host_max);
  my.state().idle = askers.all();
  for (const auto& [what, ago] : my.tools->kept)
    my.state().cache->note_delivery(what.node, what.toc, my.now() - ago);
  return {
      [my](const check_access& asked) { return check(my, asked); },
      [my](const delivery_allowed& allowed) {  // the first time counts: going on does not prolong it
        auto& cache = *my.state().cache;
        if (cache.may_go_on(allowed.node, allowed.toc, my.now())) return;
        cache.note_delivery(allowed.node, allowed.toc, my.now());
        if (my.tools->keep) my.tools->keep(allowed);
      },
  };
}

}  // namespace firstlight
