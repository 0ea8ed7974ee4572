#include "model/secret_text.hpp"

#include <utility>

namespace firstlight {
namespace {

// The compiler may not leave these writes out although nobody reads what they wrote.
void overwrite(char* bytes, std::size_t count) {
  volatile char* at = bytes;
  for (std::size_t i = 0; i < count; ++i) at[i] = 0;
}

}  // namespace

secret_text& secret_text::operator=(const secret_text& other) {
  if (this != &other) *this = secret_text(other);
  return *this;
}

secret_text& secret_text::operator=(secret_text&& other) noexcept {
  bytes_.swap(other.bytes_);  // the other wipes what was here
  return *this;
}

secret_text::~secret_text() {
  overwrite(bytes_.data(), bytes_.size());
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  overwrite(text.data(), text.size());
  text.clear();
}

secret_text take_secret(std::string& text) {
  secret_text taken(text);
  wipe(text);
  return taken;
}

}  // namespace firstlight
