// What a peer says over a connection: the greetings with which it joins, requests with what a node holds,
// wants, progress, verdicts.
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstdlib>
#include <cstring>

#include "actors/messages.hpp"
#include "actors/net/rpc/greetings.hpp"
#include "actors/net/rpc/values.hpp"
#include "config/pki_options.hpp"
#include "test/fuzz/fuzz_entry.hpp"

using namespace firstlight;

namespace {

constexpr link_limits limits;

/// What Cap'n Proto itself does not accept ends the connection: it is no value.
template <class Root, class Read>
void read_as(kj::ArrayPtr<const capnp::word> words, Read read) {
  try {
    capnp::FlatArrayMessageReader message(words);
    read(message.getRoot<Root>());
  } catch (const kj::Exception&) {
  }
}

void check_limits(const result<pull_request>& pull) {
  if (pull && (pull->had.size() > limits.had_images_max || pull->reference.size() > limits.text_bytes_max))
    std::abort();
}

/// What a hub of version 1 wants of a hello.
constexpr hello_wanted wanted{1, 65'536, limits.text_bytes_max};

void check_hello(wire::NodeHello::Reader in) {
  const auto hello = read_hello(in, wanted);
  if (!hello) return;
  if (hello->session.size() != token_bytes || hello->process.size() > token_bytes ||
      hello->software_version.size() > wanted.text_bytes_max || hello->block_bytes != wanted.block_bytes ||
      hello->protocol_version != wanted.protocol_version)
    std::abort();
  capnp::MallocMessageBuilder again;
  write_hello(again.initRoot<wire::NodeHello>(), *hello);
  if (read_hello(again.getRoot<wire::NodeHello>(), wanted) != *hello) std::abort();
}

void check_welcome(wire::HubWelcome::Reader in) {
  const auto welcome = read_welcome(in, limits);
  if (welcome.software_version.size() > limits.text_bytes_max ||
      welcome.hub_name.size() > limits.text_bytes_max ||
      welcome.bulk_congestion.size() > congestion_name_bytes_max ||
      welcome.signs_with.size() > certificate_bytes_max)
    std::abort();
  capnp::MallocMessageBuilder again;
  write_welcome(again.initRoot<wire::HubWelcome>(), welcome);
  if (read_welcome(again.getRoot<wire::HubWelcome>(), limits) != welcome) std::abort();
}

template <class Root, class Write>
std::string encoded(Write write) {
  capnp::MallocMessageBuilder message;
  write(message.initRoot<Root>());
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto words = kj::heapArray<capnp::word>(size / sizeof(capnp::word));
  std::memcpy(words.begin(), data, words.size() * sizeof(capnp::word));
  read_as<wire::NodeHello>(words, check_hello);
  read_as<wire::HubWelcome>(words, check_welcome);
  read_as<wire::PullRequest>(words, [](auto in) { check_limits(read_pull(in, limits)); });
  read_as<wire::PullStarted>(words, [](auto in) { static_cast<void>(read_started(in)); });
  read_as<wire::PullProgress>(words, [](auto in) { static_cast<void>(read_progress(in, limits)); });
  read_as<wire::Verdict>(words, [](auto in) { static_cast<void>(read_verdict(in)); });
  read_as<wire::Segment>(words, [](auto in) { static_cast<void>(read_runs(in.getRuns())); });
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const had_image had{{}, {~0ULL, 5}, {{3, {1, 2}}, {70, {~0ULL}}}};
  const greeted_limits said{1U << 20U, std::chrono::milliseconds(30'000)};
  const node_hello hello{1,    "1.2", std::string(token_bytes, 's'), 65'536,
                         said, 1,     std::string(token_bytes, 'p')};
  const hub_welcome welcome{1, "1.2", said, "hub", "bbr", "-----BEGIN CERTIFICATE-----"};
  const pull_request request{7, "registry.example/app:1", "linux/amd64", {had, had}, toc_id{}};
  return {encoded<wire::NodeHello>([&](auto out) { write_hello(out, hello); }),
          encoded<wire::HubWelcome>([&](auto out) { write_welcome(out, welcome); }),
          encoded<wire::PullRequest>([&](auto out) { write_pull(out, request); }),
          encoded<wire::PullStarted>([](auto out) {
            write_started(out, {{}, true, 1'000'000, 20, false});
          }),
          encoded<wire::PullProgress>([](auto out) {
            write_progress(out, {"fetching layer 2 of 5", 10, 100});
          }),
          encoded<wire::Verdict>([](auto out) {
            write_verdict(out, {error{errc::corrupt, "a block"}});
          }),
          encoded<wire::Segment>([](auto out) {
            const std::vector<block_run> runs{{1, 0, 4}, {2, 7, 1}};
            write_runs(out.initRuns(2), runs);
          })};
}
