#include "actors/node/login_keeper.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "logins/docker_logins.hpp"
#include "model/image_reference.hpp"

namespace firstlight {
namespace {

using self_pointer = login_keeper::stateful_pointer<login_keeper_state>;

/// Registries decide by repository; none: the reference is of no registry.
std::optional<image_reference> of_registry(const std::string& reference) {
  auto parsed = parse_image_reference(reference);
  if (!parsed || parsed->transport != image_transport::registry) return std::nullopt;
  return std::move(*parsed);
}

void remember(self_pointer self, const login_options& options, const remember_login& news) {
  const auto image = of_registry(news.reference);
  if (!image) return;
  auto& requests = self->state.requests;
  const auto key = image->repository_text();
  if (!news.login) {
    requests.erase(key);
    return;
  }
  if (requests.size() >= options.requests_max && !requests.contains(key))
    requests.erase(std::min_element(requests.begin(), requests.end(), [](const auto& one, const auto& other) {
      return one.second.at < other.second.at;
    }));
  requests.insert_or_assign(key, login_keeper_state::remembered{news.login, self->clock().now()});
}

/// A newer one stays.
void forget(self_pointer self, const login_refused& news) {
  const auto image = of_registry(news.reference);
  if (!image) return;
  auto& requests = self->state.requests;
  const auto found = requests.find(image->repository_text());
  if (found != requests.end() && found->second.login == news.login) requests.erase(found);
}

shared_login from_requests(self_pointer self, const login_options& options, const std::string& repository) {
  auto& requests = self->state.requests;
  std::erase_if(requests,
                [&](const auto& one) { return self->clock().now() - one.second.at >= options.request_time; });
  const auto found = requests.find(repository);
  return found == requests.end() ? shared_login{} : found->second.login;
}

/// A source that cannot be read does not keep the next from being asked, nor public images from being pulled.
result<found_login> look_up(const login_keeper_tools& tools, const image_reference& image, instant now) {
  const auto& options = tools.options;
  auto docker = find_docker_login({options.docker_config, options.config_bytes_max, options.helper},
                                  image.host, image.repository);
  if (!docker) spdlog::warn("Docker's logins cannot be used: {}", to_string(docker.error()));
  if (docker && *docker) return found_login{std::make_shared<const registry_login>(std::move(**docker))};
  auto provided = tools.providers->find(image.repository_text(), now);
  if (!provided) spdlog::warn("credential providers cannot be used: {}", to_string(provided.error()));
  return found_login{provided ? std::move(*provided) : shared_login{}};
}

}  // namespace

login_keeper::behavior_type make_login_keeper(self_pointer self, login_keeper_tools given) {
  const auto tools = std::make_shared<const login_keeper_tools>(std::move(given));
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  return {
      [=](const find_login& asked) -> caf::result<found_login> {
        const auto image = of_registry(asked.reference);
        if (!image) return found_login{};
        if (auto known = from_requests(self, tools->options, image->repository_text()))
          return found_login{known};
        auto reply = self->make_response_promise<found_login>();
        run_on(
            tools->workers.next(), self,
            [tools, image = *image, now = self->clock().now()] { return look_up(*tools, image, now); },
            [reply](const result<found_login>& found) mutable {
              found ? reply.deliver(*found) : reply.deliver(to_caf(found.error()));
            });
        return reply;
      },
      [=](const remember_login& news) -> caf::result<login_remembered> {
        remember(self, tools->options, news);
        return login_remembered{};
      },
      [=](const login_refused& news) { forget(self, news); },
  };
}

}  // namespace firstlight
