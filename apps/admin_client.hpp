#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "model/bytes.hpp"

namespace firstlight {

/// ADMIN CLIENT: the command line's side of a daemon's UNIX socket. Blocking; one thread uses it.
class admin_client {
 public:
  /// Errors: `unavailable` with `absent_hint` as detail when no daemon listens there, `denied` when the
  /// socket is another user's, `io`. Example hint: "the daemon is not running; start it with 'firstlight
  /// node'".
  [[nodiscard]] static result<admin_client> connect(const std::filesystem::path& socket,
                                                    const std::string& absent_hint);
  ~admin_client();
  admin_client(admin_client&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  admin_client& operator=(admin_client&&) = delete;

  using progress_handler = std::function<void(bytes_view)>;

  /// Sends one request and waits for its reply, however long it takes; `on_progress` is called meanwhile.
  /// Errors: what the service answered; `unavailable` when the daemon ends first; `denied`; `limit_exceeded`;
  /// `protocol` when it is of another version; `io`; `cancelled` when `interrupt`, if it is a descriptor,
  /// became readable: then the client cannot be used any more, and at its end the daemon gives the call up.
  [[nodiscard]] result<shared_bytes> call(bytes_view request, const progress_handler& on_progress = {},
                                          int interrupt = -1);

 private:
  explicit admin_client(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace firstlight
