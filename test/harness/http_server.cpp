#include "test/harness/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>

namespace firstlight {
namespace {

served_request parse_request(const std::string& text) {
  served_request request;
  std::istringstream lines(text);
  lines >> request.method >> request.target;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line != "\r") {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers[name] = line.substr(colon + 2, line.size() - colon - 3);
  }
  return request;
}

void send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the client has gone, as some tests want
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

constexpr std::string_view head_end = "\r\n\r\n";

/// Whether what is wanted has come before the client has gone.
bool receive_until(int connection, std::string& text, const std::function<bool()>& done) {
  char part[4096];
  while (!done()) {
    const ssize_t got = recv(connection, part, sizeof part, 0);
    if (got <= 0) return false;
    text.append(part, static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

http_server::http_server(std::function<served_response(const served_request&)> answer)
    : answer_(std::move(answer)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  auto* raw = reinterpret_cast<sockaddr*>(&at);
  if (bind(listener_, raw, length) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, raw, &length) != 0) {
    throw std::runtime_error("cannot listen on the loopback");
  }
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this] { serve(); });
}

http_server::~http_server() {
  shutdown(listener_, SHUT_RDWR);  // ends the accept
  thread_.join();
  close(listener_);
}

std::string http_server::host() const {
  return "127.0.0.1:" + std::to_string(port_);
}

std::vector<served_request> http_server::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void http_server::serve() {
  while (true) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    serve_one(connection);
    close(connection);
  }
}

void http_server::serve_one(int connection) {
  std::string text;
  if (!receive_until(connection, text, [&] { return text.find(head_end) != std::string::npos; })) return;
  served_request request = parse_request(text);
  request.body = text.substr(text.find(head_end) + head_end.size());
  const auto length = request.headers.find("content-length");
  const auto wanted = length == request.headers.end() ? 0 : std::stoul(length->second);
  if (!receive_until(connection, request.body, [&] { return request.body.size() >= wanted; })) return;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  const served_response response = answer_(request);
  std::string head = "HTTP/1.1 " + std::to_string(response.status) +
                     " X\r\nConnection: close\r\nContent-Length: " + std::to_string(response.body.size()) +
                     "\r\n";
  for (const auto& header : response.headers) head += header + "\r\n";
  send_all(connection, head + "\r\n");
  if (request.method != "HEAD")
    send_all(connection, std::string_view(response.body).substr(0, response.cut_after));
}

}  // namespace firstlight
