#include "actors/net/rpc/admin_connection.hpp"

namespace firstlight {
namespace {

constexpr std::size_t dropped_at_once = 4096;

kj::ArrayPtr<const kj::byte> as_kj(bytes_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

}  // namespace

kj::Promise<result<shared_bytes>> admin_connection::read_request() {
  return stream_->tryRead(head_.data(), head_.size(), head_.size())
      .then([this](std::size_t bytes) -> kj::Promise<result<shared_bytes>> {
        if (bytes < head_.size()) return result<shared_bytes>();
        const auto head = decode_admin_frame_head(head_, message_bytes_max_);
        if (!head) return result<shared_bytes>(tl::unexpected(head.error()));
        if (head->kind != admin_frame_kind::request)
          return result<shared_bytes>(fail(errc::protocol, "not a request"));
        return read_body(head->body_bytes);
      });
}

kj::Promise<result<shared_bytes>> admin_connection::read_body(std::uint32_t bytes) {
  auto body = kj::heap<std::vector<std::byte>>(bytes);
  auto read = stream_->tryRead(body->data(), bytes, bytes);
  return read.then([body = kj::mv(body)](std::size_t got) mutable {
    return got < body->size() ? result<shared_bytes>() : share(std::move(*body));
  });
}

kj::Promise<void> admin_connection::write(admin_frame_kind kind, shared_bytes body) {
  const admin_frame_head head{.kind = kind, .body_bytes = static_cast<std::uint32_t>(body.bytes.size())};
  return write_frame(head, std::move(body));
}

kj::Promise<void> admin_connection::write(const error& failure) {
  const auto text = std::as_bytes(std::span(failure.detail));
  return write_frame({.kind = admin_frame_kind::failure,
                      .code = failure.code,
                      .body_bytes = static_cast<std::uint32_t>(text.size())},
                     share({text.begin(), text.end()}));
}

kj::Promise<void> admin_connection::end() {
  stream_->shutdownWrite();
  auto buffer = kj::heapArray<kj::byte>(dropped_at_once);
  auto dropped = drop_rest(buffer);
  return dropped.attach(kj::mv(buffer));
}

kj::Promise<void> admin_connection::drop_rest(kj::ArrayPtr<kj::byte> buffer) {
  return stream_->tryRead(buffer.begin(), 1, buffer.size())
      .then([this, buffer](std::size_t got) -> kj::Promise<void> {
        if (got == 0) return kj::READY_NOW;
        return drop_rest(buffer);
      });
}

kj::Promise<void> admin_connection::write_frame(const admin_frame_head& head, shared_bytes body) {
  struct frame {
    admin_frame_head_bytes head;
    shared_bytes body;
    std::array<kj::ArrayPtr<const kj::byte>, 2> pieces;
  };
  auto whole = kj::heap<frame>();
  whole->head = encode(head);
  whole->body = std::move(body);
  whole->pieces = {as_kj(whole->head), as_kj(whole->body.bytes)};
  auto pieces = kj::arrayPtr(whole->pieces.data(), head.body_bytes > 0 ? 2 : 1);
  return stream_->write(pieces).attach(kj::mv(whole));
}

}  // namespace firstlight
