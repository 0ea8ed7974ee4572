#include "storage/oci/registry_session.hpp"

#include <algorithm>
#include <random>
#include <thread>

#include "model/retry_after.hpp"

namespace firstlight {
namespace {

std::string api_base(const std::string& host, const std::string& repository, const source_options& options) {
  const std::string server = host == "docker.io" ? "registry-1.docker.io" : host;
  return (is_plain_http(host, options) ? "http://" : "https://") + server + "/v2/" + repository + "/";
}

retry::random random_numbers() {
  return [engine = std::mt19937_64(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool may_pass(errc code) {
  return code == errc::unavailable || code == errc::timed_out || code == errc::io;
}

}  // namespace

registry_session::registry_session(std::string host, std::string repository, const source_options& options)
    : host_(std::move(host)),
      base_(api_base(host_, repository, options)),
      options_(options),
      auth_(host_, repository, options),
      retry_({.first = options.registry.backoff_first,
              .max = options.registry.backoff_max,
              .attempts_max = options.registry.attempts_max},
             random_numbers()) {}

result<void> registry_session::pause_or_fail(const error& failure) {
  if (!may_pass(failure.code)) return tl::unexpected(failure);
  const std::chrono::milliseconds asked = pause_asked_.value_or(std::chrono::seconds(0));
  if (asked > options_.registry.backoff_max) return tl::unexpected(failure);
  const auto pause = retry_.failed();
  if (!pause) return tl::unexpected(failure);
  std::this_thread::sleep_for(std::max(*pause, asked));
  return {};
}

result<std::unique_ptr<http_stream>> registry_session::open(const wish& wanted) {
  while (true) {
    auto answer = attempt(wanted);
    if (answer) return answer;
    if (auto again = pause_or_fail(answer.error()); !again) return tl::unexpected(again.error());
  }
}

// A token may have run out: the second answer of 401 in a row is the final one.
result<std::unique_ptr<http_stream>> registry_session::attempt(const wish& wanted) {
  pause_asked_.reset();
  auto arrived = follow(wanted);
  if (arrived && arrived->at_home && arrived->answer->head().status == 401) {
    if (auto ok = auth_.answer(arrived->answer->head()); !ok) return tl::unexpected(ok.error());
    arrived = follow(wanted);
  }
  if (!arrived) return tl::unexpected(arrived.error());
  const http_head& head = arrived->answer->head();
  if (head.status == 200 || head.status == 206) return std::move(arrived->answer);
  pause_asked_ = parse_retry_after(head.header("retry-after"));
  return tl::unexpected(refusal(wanted, *arrived));
}

result<registry_session::arrival> registry_session::follow(const wish& wanted) {
  http_request request{.url = base_ + wanted.path,
                       .method = wanted.method,
                       .headers = wanted.headers,
                       .body = {},
                       .small = wanted.small || wanted.method == "HEAD"};
  const std::string home = origin_of(request.url);
  bool at_home = true;
  for (std::uint32_t redirects = 0; redirects <= options_.registry.redirects_max; ++redirects) {
    if (auto ok = check_transport(request.url, options_); !ok) return tl::unexpected(ok.error());
    request.headers = wanted.headers;
    auto origin = origin_of(request.url);
    at_home = at_home && origin == home;
    if (at_home && !auth_.header().empty()) request.headers.push_back(auth_.header());
    auto answer = http_stream::open(request, options_.registry);
    if (!answer) return tl::unexpected(answer.error());
    const http_head& head = (*answer)->head();
    if (!is_redirect(head.status)) return arrival{std::move(*answer), std::move(origin), at_home};
    if (head.redirect_url.empty()) return fail(errc::protocol, host_ + " redirects to nowhere");
    request.url = head.redirect_url;
  }
  return fail(errc::protocol, host_ + " redirects too often (redirects_max)");
}

error registry_session::refusal(const wish& wanted, const arrival& arrived) const {
  const std::string what = base_ + wanted.path;
  const long code = arrived.answer->head().status;
  const std::string status = std::to_string(code);
  if (code == 404) return {errc::not_found, what + " is not there"};
  if ((code == 401 || code == 403) && !arrived.at_home)
    return {errc::denied, what + " is refused (" + status + ") by " + arrived.origin +
                              ", where the registry sends its readers; its administrator can tell why"};
  if (code == 401 || code == 403) {
    return {errc::denied,
            what + " is refused (" + status + "); log in with 'docker login " + host_ + "' or the like"};
  }
  const std::string pause =
      pause_asked_ ? " and asks to wait " + std::to_string(pause_asked_->count()) + " s before the next try"
                   : "";
  if (code == 429 || code >= 500) return {errc::unavailable, what + ": the server answers " + status + pause};
  return {errc::protocol, what + ": the server answers " + status};
}

}  // namespace firstlight
