#include "storage/archive/checked_source.hpp"

namespace firstlight {

checked_source::checked_source(std::unique_ptr<byte_source> inner, expectation expected)
    : inner_(std::move(inner)), expected_(std::move(expected)) {}

result<std::size_t> checked_source::read(std::span<std::byte> into) {
  if (final_) return *final_;
  auto got = inner_->read(into);
  if (!got) {
    final_ = got;
    return got;
  }
  if (*got == 0) return at_end();
  hash_.update(into.first(*got));
  bytes_read_ += *got;
  if (expected_.size && bytes_read_ > *expected_.size) return broken("has more bytes than its manifest says");
  return got;
}

result<std::size_t> checked_source::at_end() {
  if (expected_.size && bytes_read_ != *expected_.size) {
    return broken("ends after " + std::to_string(bytes_read_) + " of " + std::to_string(*expected_.size) +
                  " bytes");
  }
  const digest actual = hash_.finish();
  if (actual != expected_.value) return broken("has other bytes: their digest is " + actual.oci());
  final_ = std::size_t{0};
  return *final_;
}

result<std::size_t> checked_source::broken(std::string detail) {
  final_ = fail(errc::corrupt, expected_.name + " " + detail);
  return *final_;
}

}  // namespace firstlight
