#include "actors/net/rpc/message_stream.hpp"

#include <capnp/message.h>
#include <kj/debug.h>

#include <algorithm>
#include <cstring>

#include "actors/net/rpc/errors.hpp"

namespace firstlight {
namespace {

using capnp::word;

constexpr std::size_t word_bytes = sizeof(word);
constexpr std::uint32_t segments_max = 512;            // as the library has it
constexpr std::size_t heard_every_bytes = 32U << 10U;  // a long message counts as life this often
constexpr std::size_t small_piece_bytes = 4096;        // below, one write is cheaper than no copy
constexpr auto throttle_pause = 5 * kj::MILLISECONDS;

kj::Exception broken(const char* why) {
  return to_kj({errc::protocol, why});
}

}  // namespace

struct message_stream::incoming {
  capnp::ReaderOptions options;
  std::array<std::uint32_t, 2> head{};  // segments - 1, words of the first
  std::vector<std::uint32_t> words;     // of each segment, then maybe padding
  std::uint32_t segments = 0;
  std::shared_ptr<buffer> body;
};

struct message_stream::outgoing {
  std::vector<kj::byte> copied;  // reserved once: pieces point into it
  std::vector<kj::ArrayPtr<const kj::byte>> pieces;
  std::vector<shared_bytes> owners;

  void copy(const void* from, std::size_t bytes) {
    const auto* start = copied.data() + copied.size();
    const auto* source = static_cast<const kj::byte*>(from);
    copied.insert(copied.end(), source, source + bytes);
    if (!pieces.empty() && pieces.back().end() == start)
      pieces.back() = kj::arrayPtr(pieces.back().begin(), pieces.back().size() + bytes);
    else
      pieces.push_back(kj::arrayPtr(start, bytes));
  }
};

message_stream::message_stream(kj::AsyncIoStream& stream, kj::Timer& timer, std::uint64_t receive_bytes_max)
    : stream_(stream), timer_(timer), receive_bytes_max_(receive_bytes_max) {}

void message_stream::throttle(capnp::TwoPartyVatNetwork& network, std::uint32_t queued_max) {
  network_ = &network;
  queued_max_ = queued_max;
}

capnp::Data::Reader message_stream::lend(const shared_bytes& frame) {
  if (frame.bytes.empty()) return {};
  auto kept = frame;
  if (reinterpret_cast<std::uintptr_t>(frame.bytes.data()) % word_bytes != 0)
    kept = firstlight::share(std::vector<std::byte>(frame.bytes.begin(), frame.bytes.end()));
  const auto* start = reinterpret_cast<const kj::byte*>(kept.bytes.data());
  const auto size = kept.bytes.size();
  lent_.emplace(start, std::move(kept));
  return {start, size};
}

shared_bytes message_stream::keep(capnp::Data::Reader part) const {
  const auto* address = reinterpret_cast<const word*>(part.begin());
  auto after = received_->upper_bound(address);
  if (part.size() == 0 || after == received_->begin()) return {};
  auto owner = std::prev(after)->second.lock();
  KJ_REQUIRE(owner != nullptr && address < owner->end(), "not a part of a message that is being handled");
  return {{reinterpret_cast<const std::byte*>(part.begin()), part.size()}, std::move(owner)};
}

kj::Promise<message_stream::read_result> message_stream::tryReadMessage(
    kj::ArrayPtr<kj::AutoCloseFd> descriptors, capnp::ReaderOptions options, kj::ArrayPtr<word> scratch) {
  if (network_ != nullptr && network_->getCurrentQueueCount() > queued_max_ + own_calls_)
    return timer_.afterDelay(throttle_pause).then([this, descriptors, options, scratch] {
      return tryReadMessage(descriptors, options, scratch);
    });
  auto message = kj::heap<incoming>();
  message->options = options;
  auto& head = message->head;
  return stream_.tryRead(head.data(), sizeof head, sizeof head)
      .then([this, message = kj::mv(message)](std::size_t bytes) mutable -> kj::Promise<read_result> {
        if (bytes == 0) return read_result(nullptr);
        if (bytes < sizeof message->head) return broken("the stream ended inside a message");
        last_heard_ = std::chrono::steady_clock::now();
        return read_table(kj::mv(message));
      });
}

kj::Promise<message_stream::read_result> message_stream::read_table(kj::Own<incoming> message) {
  if (message->head[0] >= segments_max) return broken("a message has too many segments");
  message->segments = message->head[0] + 1;
  // The table is padded to whole words; its first two numbers have been read.
  message->words.resize((message->segments & ~1U) + 1);
  message->words[0] = message->head[1];
  const auto rest = (message->words.size() - 1) * sizeof(std::uint32_t);
  if (rest == 0) return read_body(kj::mv(message));
  auto* into = reinterpret_cast<kj::byte*>(message->words.data() + 1);
  return read_exactly(into, rest).then([this, message = kj::mv(message)]() mutable {
    return read_body(kj::mv(message));
  });
}

kj::Promise<message_stream::read_result> message_stream::read_body(kj::Own<incoming> message) {
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < message->segments; ++i) total += message->words[i];
  if (total * word_bytes > receive_bytes_max_) return broken("a message is larger than this side accepts");
  message->body = std::make_shared<buffer>(kj::heapArray<word>(total));
  auto bytes = message->body->asBytes();
  return read_exactly(bytes.begin(), bytes.size()).then([this, message = kj::mv(message)]() mutable {
    return finish(kj::mv(message));
  });
}

kj::Promise<void> message_stream::read_exactly(kj::byte* into, std::size_t bytes) {
  if (bytes == 0) return kj::READY_NOW;
  const auto least = std::min(bytes, heard_every_bytes);
  return stream_.tryRead(into, least, bytes)
      .then([this, into, bytes, least](std::size_t got) -> kj::Promise<void> {
        if (got < least) return broken("the stream ended inside a message");
        last_heard_ = std::chrono::steady_clock::now();
        return read_exactly(into + got, bytes - got);
      });
}

message_stream::read_result message_stream::finish(kj::Own<incoming> message) {
  auto segments = kj::heapArray<kj::ArrayPtr<const word>>(message->segments);
  const auto* at = message->body->begin();
  for (std::uint32_t i = 0; i < message->segments; ++i) {
    segments[i] = kj::arrayPtr(at, message->words[i]);
    at += message->words[i];
  }
  const auto* key = message->body->begin();
  (*received_)[key] = message->body;
  auto forget = kj::defer([map = received_, key] { map->erase(key); });
  auto reader = kj::heap<capnp::SegmentArrayMessageReader>(segments, message->options)
                    .attach(kj::mv(segments), kj::mv(message), kj::mv(forget));
  return capnp::MessageReaderAndFds{kj::mv(reader), nullptr};
}

// The same bytes may have been lent several times, also in different lengths.
message_stream::lent_map::iterator message_stream::find_lent(kj::ArrayPtr<const word> segment) {
  const auto [first, last] = lent_.equal_range(segment.asBytes().begin());
  const auto found = std::find_if(first, last, [&](const auto& one) {
    return (one.second.bytes.size() + word_bytes - 1) / word_bytes == segment.size();
  });
  return found == last ? lent_.end() : found;
}

void message_stream::pack(kj::ArrayPtr<const kj::ArrayPtr<const word>> segments, outgoing& packed) {
  std::vector<std::uint32_t> table{static_cast<std::uint32_t>(segments.size() - 1)};
  for (const auto& segment : segments) table.push_back(static_cast<std::uint32_t>(segment.size()));
  if (table.size() % 2 != 0) table.push_back(0);
  packed.copy(table.data(), table.size() * sizeof(std::uint32_t));
  for (const auto& segment : segments) {
    const auto bytes = segment.asBytes();
    if (auto found = find_lent(segment); found != lent_.end()) {
      // The last word may reach past the frame: what lies there is not ours to send.
      const auto whole = found->second.bytes.size() & ~(word_bytes - 1);
      if (whole > 0) packed.pieces.push_back(bytes.slice(0, whole));
      std::array<kj::byte, word_bytes> tail{};
      std::memcpy(tail.data(), bytes.begin() + whole, found->second.bytes.size() - whole);
      if (whole < bytes.size()) packed.copy(tail.data(), tail.size());
      packed.owners.push_back(std::move(found->second));
      lent_.erase(found);
    } else if (bytes.size() <= small_piece_bytes) {
      packed.copy(bytes.begin(), bytes.size());
    } else {
      packed.pieces.push_back(bytes);
    }
  }
}

kj::Promise<void> message_stream::writeMessage(kj::ArrayPtr<const int> /*descriptors*/,
                                               kj::ArrayPtr<const kj::ArrayPtr<const word>> segments) {
  auto one = kj::arrayPtr(&segments, 1);
  return writeMessages(one);
}

kj::Promise<void> message_stream::writeMessages(
    kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const word>>> messages) {
  auto packed = kj::heap<outgoing>();
  std::size_t copied = 0;
  for (const auto& segments : messages) {
    copied += (segments.size() + 2) * sizeof(std::uint32_t) + segments.size() * word_bytes;
    for (const auto& segment : segments)
      if (segment.asBytes().size() <= small_piece_bytes) copied += segment.asBytes().size();
  }
  packed->copied.reserve(copied);
  for (const auto& segments : messages) pack(segments, *packed);
  auto& pieces = packed->pieces;
  if (pieces.empty()) return kj::READY_NOW;
  return stream_.write(kj::arrayPtr(pieces.data(), pieces.size())).attach(kj::mv(packed));
}

kj::Maybe<int> message_stream::getSendBufferSize() {
  return nullptr;
}

kj::Promise<void> message_stream::end() {
  stream_.shutdownWrite();
  return kj::READY_NOW;
}

}  // namespace firstlight
