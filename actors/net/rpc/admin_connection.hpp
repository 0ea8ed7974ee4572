#pragma once
#include <kj/async-io.h>

#include "model/bytes.hpp"
#include "schemas/admin_frame.hpp"

namespace firstlight {

/// One client of the admin socket: its requests and the frames that answer them. Lives on its loop's thread;
/// outlives its promises.
class admin_connection {
 public:
  admin_connection(kj::Own<kj::AsyncIoStream> stream, std::uint32_t message_bytes_max)
      : stream_(kj::mv(stream)), message_bytes_max_(message_bytes_max) {}

  /// The body of the next request. Empty when the client has hung up; an error for what is no request.
  kj::Promise<result<shared_bytes>> read_request();
  /// One after the other.
  kj::Promise<void> write(admin_frame_kind kind, shared_bytes body);
  kj::Promise<void> write(const error& failure);
  /// Ends this direction and drops what the client still sends; resolves when that has ended, too.
  kj::Promise<void> end();
  /// Resolves when the client cannot be answered any more.
  kj::Promise<void> hung_up() { return stream_->whenWriteDisconnected(); }

 private:
  kj::Promise<result<shared_bytes>> read_body(std::uint32_t bytes);
  kj::Promise<void> drop_rest(kj::ArrayPtr<kj::byte> buffer);
  kj::Promise<void> write_frame(const admin_frame_head& head, shared_bytes body);

  kj::Own<kj::AsyncIoStream> stream_;
  std::uint32_t message_bytes_max_;
  admin_frame_head_bytes head_{};
};

}  // namespace firstlight
