#pragma once
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/bytes.hpp"

/// What the codecs share: a Cap'n Proto message as flat bytes, and the one place where its
/// exceptions become errors. Included by codecs only.
namespace firstlight::detail {

inline std::vector<std::byte> flat_bytes(capnp::MessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  const auto raw = words.asBytes();
  std::vector<std::byte> bytes(raw.size());
  std::memcpy(bytes.data(), raw.begin(), raw.size());
  return bytes;
}

inline kj::ArrayPtr<const kj::byte> as_data(bytes_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
inline kj::ArrayPtr<const kj::byte> as_data(const digest& value) {
  return as_data(bytes_view(value.bytes));
}
inline bytes_view as_bytes(kj::ArrayPtr<const kj::byte> data) {
  return {reinterpret_cast<const std::byte*>(data.begin()), data.size()};
}

/// Text whose bytes need not be UTF-8 travels as Data.
inline kj::ArrayPtr<const kj::byte> text_data(std::string_view text) {
  return as_data(std::as_bytes(std::span(text)));
}
inline std::string as_text(kj::ArrayPtr<const kj::byte> data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

/// Reads the root of `message` with `read(Root::Reader) -> result<T>`. Unaligned bytes are copied first.
/// Errors: `corrupt` for whatever Cap'n Proto does not accept, and those of `read`.
template <class Root, class Read>
auto decode_message(bytes_view message, Read read) -> decltype(read(std::declval<typename Root::Reader>())) {
  try {
    const auto words = message.size() / sizeof(capnp::word);
    kj::Array<capnp::word> aligned;
    const auto* start = reinterpret_cast<const capnp::word*>(message.data());
    if (reinterpret_cast<std::uintptr_t>(message.data()) % alignof(capnp::word) != 0) {
      aligned = kj::heapArray<capnp::word>(words);
      std::memcpy(aligned.begin(), message.data(), words * sizeof(capnp::word));
      start = aligned.begin();
    }
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 4 * words + 1024;  // honest readers pass each word about once
    options.nestingLimit = 16;
    capnp::FlatArrayMessageReader reader({start, words}, options);
    return read(reader.getRoot<Root>());
  } catch (const kj::Exception& problem) {
    return fail(errc::corrupt, std::string("message does not decode: ") + problem.getDescription().cStr());
  }
}

}  // namespace firstlight::detail
