#include "storage/oci/registry_blob.hpp"

#include <algorithm>
#include <array>

namespace firstlight {
namespace {

class registry_blob : public byte_source {
 public:
  registry_blob(registry_session& session, blob_descriptor blob)
      : session_(session), blob_(std::move(blob)) {}

  result<std::size_t> read(std::span<std::byte> into) override {
    if (failure_) return tl::unexpected(*failure_);
    while (position_ < blob_.size) {
      auto got = advance(into);
      if (got) return got;
      body_.reset();
      auto again = session_.pause_or_fail(got.error());
      if (!again) {
        failure_ = again.error();
        return tl::unexpected(*failure_);
      }
    }
    return 0;
  }

 private:
  result<std::size_t> advance(std::span<std::byte> into) {
    if (!body_) {
      if (auto ok = begin(); !ok) return tl::unexpected(ok.error());
    }
    const auto part =
        into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), blob_.size - position_)));
    auto got = body_->read(part);
    if (!got) return got;
    if (*got == 0) return fail(errc::unavailable, "the connection ended in the middle of " + blob_.id.oci());
    position_ += *got;
    session_.progressed();
    return got;
  }

  result<void> begin() {
    registry_session::wish wanted{.path = "blobs/" + blob_.id.oci(), .method = "GET", .headers = {}};
    if (position_ > 0) wanted.headers.push_back("Range: bytes=" + std::to_string(position_) + "-");
    auto body = session_.open(wanted);
    if (!body) return tl::unexpected(body.error());
    body_ = std::move(*body);
    if (position_ == 0 || starts_at_position(body_->head())) return {};
    return skip(position_);
  }

  [[nodiscard]] bool starts_at_position(const http_head& head) const {
    return head.status == 206 &&
           head.header("content-range").starts_with("bytes " + std::to_string(position_) + "-");
  }

  // A server without ranges sends all again.
  result<void> skip(std::uint64_t bytes) {
    if (body_->head().status == 206)
      return fail(errc::protocol, "the registry answers with another range than asked");
    std::array<std::byte, 32768> waste;
    while (bytes > 0) {
      auto got = body_->read(
          std::span(waste).first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, waste.size()))));
      if (!got) return tl::unexpected(got.error());
      if (*got == 0)
        return fail(errc::unavailable, "the connection ended in the middle of " + blob_.id.oci());
      bytes -= *got;
    }
    return {};
  }

  registry_session& session_;
  blob_descriptor blob_;
  std::unique_ptr<http_stream> body_;
  std::uint64_t position_ = 0;
  std::optional<error> failure_;
};

}  // namespace

std::unique_ptr<byte_source> make_registry_blob(registry_session& session, blob_descriptor blob) {
  return std::make_unique<registry_blob>(session, std::move(blob));
}

}  // namespace firstlight
