#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "config/admin_socket_limits.hpp"
#include "model/bytes.hpp"
#include "model/result.hpp"

namespace firstlight {

/// ADMIN CLIENT: the command line's side of a daemon's UNIX socket. Blocking; one thread uses it, the one
/// that made it.
class admin_client {
 public:
  /// Errors: `unavailable` with `absent_hint` as detail when no daemon listens there, `denied` when the
  /// socket is another user's, `io`. Example hint: "the daemon is not running; start it with 'firstlight
  /// node'".
  [[nodiscard]] static result<admin_client> connect(const std::filesystem::path& socket,
                                                    std::string absent_hint, admin_socket_limits limits = {});
  ~admin_client();
  admin_client(admin_client&&) noexcept;
  admin_client& operator=(admin_client&&) noexcept;

  using progress_handler = std::function<void(bytes_view)>;

  /// Sends one request and waits for its reply, however long it takes; `on_progress` is called meanwhile.
  /// Errors: what the service answered; `unavailable` when the daemon ends first; `denied`; `limit_exceeded`.
  [[nodiscard]] result<shared_bytes> call(bytes_view request, const progress_handler& on_progress = {});

 private:
  struct impl;
  explicit admin_client(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
