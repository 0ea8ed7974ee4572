#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace firstlight {

struct served_request {
  std::string method;
  std::string target;                          ///< path and query
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;                            ///< as long as Content-Length says
};

struct served_response {
  int status = 200;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  std::size_t cut_after = SIZE_MAX;  ///< bytes of the body before the connection is closed
};

/// A small HTTP server on a free port of the loopback: one connection at a time, one request each. `answer`
/// runs on the server's thread. Stops with its life.
class http_server {
 public:
  explicit http_server(std::function<served_response(const served_request&)> answer);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  [[nodiscard]] std::string host() const;  ///< "127.0.0.1:port"
  [[nodiscard]] std::vector<served_request> requests() const;

 private:
  void serve();
  void serve_one(int connection);

  std::function<served_response(const served_request&)> answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<served_request> requests_;
  std::thread thread_;
};

}  // namespace firstlight
