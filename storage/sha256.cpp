#include "storage/sha256.hpp"

#include <openssl/evp.h>

#include <new>

namespace firstlight {
namespace {

/// Looking the algorithm up costs as much as hashing a small block, so it is done once.
const EVP_MD* algorithm() {
  static const EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

struct context_closer {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using context = std::unique_ptr<EVP_MD_CTX, context_closer>;

context new_context() {
  context made(EVP_MD_CTX_new());
  if (!made || algorithm() == nullptr || EVP_DigestInit_ex2(made.get(), algorithm(), nullptr) != 1)
    throw std::bad_alloc();  // the library is unusable: nothing can be verified any more
  return made;
}

EVP_MD_CTX* restart(EVP_MD_CTX* used) {
  EVP_DigestInit_ex2(used, nullptr, nullptr);
  return used;
}

EVP_MD_CTX* thread_context() {
  thread_local const context mine = new_context();
  return restart(mine.get());
}

digest finish_into_digest(EVP_MD_CTX* used) {
  digest value;
  EVP_DigestFinal_ex(used, reinterpret_cast<unsigned char*>(value.bytes.data()), nullptr);
  return value;
}

digest hash_leaf(bytes_view block) {
  auto* used = thread_context();
  constexpr unsigned char prefix = 0;
  EVP_DigestUpdate(used, &prefix, 1);
  EVP_DigestUpdate(used, block.data(), block.size());
  return finish_into_digest(used);
}

digest hash_node(const digest& left, const digest& right) {
  std::array<std::byte, 65> joined{std::byte{1}};
  std::copy(left.bytes.begin(), left.bytes.end(), joined.begin() + 1);
  std::copy(right.bytes.begin(), right.bytes.end(), joined.begin() + 33);
  return sha256(joined);
}

}  // namespace

digest sha256(bytes_view bytes) {
  auto* used = thread_context();
  EVP_DigestUpdate(used, bytes.data(), bytes.size());
  return finish_into_digest(used);
}

struct sha256_stream::impl {
  context used = new_context();
};

sha256_stream::sha256_stream() : impl_(std::make_unique<impl>()) {}
sha256_stream::~sha256_stream() = default;
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream& sha256_stream::operator=(sha256_stream&&) noexcept = default;

void sha256_stream::update(bytes_view bytes) {
  EVP_DigestUpdate(impl_->used.get(), bytes.data(), bytes.size());
}

digest sha256_stream::finish() {
  const auto value = finish_into_digest(impl_->used.get());
  restart(impl_->used.get());
  return value;
}

merkle_hasher sha256_merkle() {
  return {hash_leaf, hash_node};
}

}  // namespace firstlight
