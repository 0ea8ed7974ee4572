#include "actors/net/listening_socket.hpp"
#include "actors/net/rpc/acceptor.hpp"
#include "actors/net/rpc/connection.hpp"
#include "actors/net/rpc/debug_log.hpp"
#include "actors/net/rpc/errors.hpp"
#include "actors/net/rpc/greetings.hpp"
#include "actors/net/rpc/values.hpp"
#include "config/piece_limits.hpp"
#include "test/actors/net/net_fixture.hpp"

using namespace firstlight;
using namespace firstlight::test;

namespace {

class raw_session final : public wire::Session::Server {
 public:
  kj::Promise<void> ping(PingContext /*context*/) override { return kj::READY_NOW; }
  kj::Promise<void> received(ReceivedContext /*context*/) override { return kj::READY_NOW; }
  kj::Promise<void> cancel(CancelContext /*context*/) override { return kj::READY_NOW; }
  kj::Promise<void> pull(PullContext context) override {
    write_started(context.getResults().initStarted(), pull_started{});
    return kj::READY_NOW;
  }
};

/// A hub that lets every node in and sends to the latest whatever a test wants. On its loop's thread only,
/// but for what happened.
class raw_hub {
 public:
  raw_hub(kj_loop& loop, int descriptor, std::shared_ptr<tls_identity> tls, const link_limits& limits)
      : loop_(loop),
        limits_(limits),
        calls_(log_),
        port_(loop.io(), descriptor, std::move(tls), acceptor::options{limits},
              [this](acceptor::accepted stream) { serve(kj::mv(stream)); }) {}

  void piece(std::uint64_t delivery, std::uint64_t offset, bytes_view bytes,
             wire::TocPart part = wire::TocPart::TREE) {
    auto call = sink_.pieceRequest();
    call.setDelivery(delivery);
    call.setPart(part);
    call.setOffset(offset);
    call.setBytes({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
    calls_.add(call.send().ignoreResult().catch_(
        [this](kj::Exception&& thrown) { refused_pieces.push(from_kj(thrown)); }));
  }
  void announce(std::uint64_t delivery, std::uint64_t in_pieces, bytes_view frame = {},
                std::size_t certificate_bytes = 0) {
    auto call = sink_.tocRequest();
    call.setDelivery(delivery);
    call.setInPieces(in_pieces);
    auto toc = call.initToc();
    toc.setFrame({reinterpret_cast<const kj::byte*>(frame.data()), frame.size()});
    toc.initSigned().initCertificate(static_cast<kj::uint>(certificate_bytes));
    calls_.add(call.send().then(
        [this, delivery](auto&& answer) {
          answers.push({delivery, read_verdict(answer.getVerdict())});
        },
        [this, delivery](kj::Exception&& thrown) {
          answers.push({delivery, tl::unexpected(from_kj(thrown))});
        }));
  }

  struct answered {
    std::uint64_t delivery;
    result<verdict> answer;
  };
  happenings<answered> answers;  ///< to what was announced
  happenings<error> refused_pieces;
  happenings<bool> attached;

 private:
  class face final : public wire::Hub::Server {
   public:
    explicit face(raw_hub& hub) : hub_(hub) {}
    kj::Promise<void> join(JoinContext context) override {
      auto results = context.getResults();
      const auto& limits = hub_.limits_;
      write_welcome(
          results.initWelcome(),
          {protocol_version, "test", {limits.node_message_bytes_max, limits.silence_max}, "main", "bbr", ""});
      results.setSession(kj::heap<raw_session>());
      return kj::READY_NOW;
    }
    kj::Promise<void> attach(AttachContext context) override {
      hub_.sink_ = context.getParams().getSink();
      hub_.attached.push(true);
      return kj::READY_NOW;
    }

   private:
    raw_hub& hub_;
  };

  void serve(acceptor::accepted stream) {
    connections_.push_back(
        connection::serve(kj::mv(stream.stream), loop_.timer(), kj::heap<face>(*this), limits_));
  }

  kj_loop& loop_;
  link_limits limits_;
  std::vector<kj::Own<connection>> connections_;
  wire::BulkSink::Client sink_ = nullptr;
  debug_log log_;
  kj::TaskSet calls_;
  acceptor port_;
};

struct node_of_raw_hub : net_fixture {
  std::shared_ptr<raw_hub> raw;
  std::shared_ptr<node_side> node = make_receiver();
  hub_link link;
  shared_bytes tree = make_segment(3, 100'000).frame;

  node_of_raw_hub() {
    limits.silence_max = 5s;
    limits.message_bytes_max = 1U << 20U;
    limits.opening_connections = 0;
    const auto tls = tls_identity::load(pki.files(pki_role::hub, "main"));
    REQUIRE(tls);
    const auto socket = listen_on("127.0.0.1", 0);
    REQUIRE(socket);
    REQUIRE(hub_loop.run([&] {
      raw = std::make_shared<raw_hub>(hub_loop, socket->descriptor, *tls, limits);
      hub_loop.settle(raw);
    }));
    link = link_with(node_options("n1", socket->port));
    raw->attached.next();
  }
  template <class Words>
  void say(Words words) {
    REQUIRE(hub_loop.run([&] { words(*raw); }));
  }
  void pull(std::uint64_t delivery) {
    REQUIRE(ask<pull_started>(link, pull_request{.delivery = delivery, .reference = "redis:7"}, node->actor));
  }
  result<verdict> answer_to(std::uint64_t delivery) const {
    for (;;)
      if (auto next = raw->answers.next(); next.delivery == delivery) return next.answer;
  }
  std::string until(link_state wanted) const {
    for (;;)
      if (auto change = node->changes.next(); change.now == wanted) return change.why;
  }
  void check_tree(std::uint64_t delivery) {
    const auto got = node->tocs.next();
    CHECK(got.delivery == delivery);
    CHECK(equal_bytes(got.toc.frame, tree));
    const auto answer = answer_to(delivery);
    REQUIRE(answer);
    CHECK_FALSE(answer->failure);
    CHECK(node->tocs.waiting() == 0);
  }
};

struct wrong_words {
  const char* why;  ///< the session ends
  std::function<void(raw_hub&, std::uint64_t delivery)> words;
};

const std::vector<std::byte> some(128'000);

bytes_view bytes(std::size_t count) {
  return bytes_view(some).first(count);
}

const std::vector<wrong_words>& all_wrong_words() {
  static const std::vector<wrong_words> all{
      {"overlap",
       [](raw_hub& hub, std::uint64_t delivery) {
         hub.piece(delivery, 0, bytes(100));
         hub.piece(delivery, 96, bytes(100));
       }},
      {"a piece lies outside of its frame",
       [](raw_hub& hub, std::uint64_t delivery) {
         hub.announce(delivery, 100);
         hub.piece(delivery, 96, bytes(8));
       }},
      {"a frame in pieces has a wrong size",
       [](raw_hub& hub, std::uint64_t delivery) {
         hub.piece(delivery, 96, bytes(8));
         hub.announce(delivery, 100);
       }},
      {"a piece lies outside of its frame",
       [](raw_hub& hub, std::uint64_t delivery) { hub.piece(delivery, 0, {}); }},
      {"a piece lies outside of its frame",
       [](raw_hub& hub, std::uint64_t delivery) { hub.piece(delivery, ~std::uint64_t{0}, bytes(8)); }},
      {"a frame in pieces has a wrong size",
       [](raw_hub& hub, std::uint64_t delivery) { hub.announce(delivery, (1U << 20U) + 1); }},
      {"announced twice",
       [](raw_hub& hub, std::uint64_t delivery) {
         hub.announce(delivery, 100);
         hub.announce(delivery, 100);
       }},
      {"announced twice",
       [](raw_hub& hub, std::uint64_t delivery) {
         hub.announce(delivery, 100);
         hub.piece(delivery, 0, bytes(100));
         hub.announce(delivery, 100);
       }},
      {"in pieces and as a whole",
       [](raw_hub& hub, std::uint64_t delivery) { hub.announce(delivery, 100, bytes(8)); }},
      {"beside its pieces",
       [](raw_hub& hub, std::uint64_t delivery) {
         hub.announce(delivery, 100, {}, piece_limits{}.head_bytes_max + 1);
       }},
      {"too many frames in pieces",
       [](raw_hub& hub, std::uint64_t delivery) {
         for (std::uint32_t i = 0; i <= piece_limits{}.gathering.frames_max; ++i)
           hub.piece(delivery + i, 0, bytes(8));
       }},
      {"too much in pieces",
       [](raw_hub& hub, std::uint64_t delivery) {
         for (std::uint64_t i = 0; i < 9; ++i) hub.piece(delivery + i, 0, bytes(128'000));
       }},
      {"too much in pieces",  // each takes memory, however small
       [](raw_hub& hub, std::uint64_t delivery) {
         for (std::uint64_t i = 0; i < 2100; ++i) hub.piece(delivery + i % 2, 2 * i, bytes(1));
       }},
  };
  return all;
}

}  // namespace

TEST_CASE("pieces that come again, and those of a delivery that nobody waits for, harm no tree") {
  node_of_raw_hub world;
  world.pull(1);
  const auto half = world.tree.bytes.size() / 2;
  world.say([&](raw_hub& hub) {
    hub.piece(77, 0, bytes(100));
    hub.piece(1, half, world.tree.bytes.subspan(half));
    hub.piece(1, half, world.tree.bytes.subspan(half));
    hub.announce(1, world.tree.bytes.size());
    hub.piece(1, 0, bytes(8), static_cast<wire::TocPart>(7));
    hub.piece(1, 0, world.tree.bytes.first(half));
    hub.piece(1, half, world.tree.bytes.subspan(half));
  });
  world.check_tree(1);
  CHECK(world.raw->refused_pieces.next().code == errc::protocol);
  world.say([&](raw_hub& hub) { hub.announce(77, 100); });
  const auto answer = world.answer_to(77);
  REQUIRE(answer);
  REQUIRE(answer->failure);
  CHECK(answer->failure->code == errc::cancelled);
  CHECK(world.raw->refused_pieces.waiting() == 0);
  const auto status = world.ask<link_status>(world.link, caf::get_atom_v);
  REQUIRE(status);
  CHECK(status->state == link_state::up);
  CHECK(status->reconnects == 0);
}

TEST_CASE("wrong pieces end their session with the reason, and the next one brings the tree") {
  node_of_raw_hub world;
  std::uint64_t delivery = 0;
  for (const auto& wrong : all_wrong_words()) {
    INFO(wrong.why);
    world.pull(++delivery);
    world.say([&](raw_hub& hub) { wrong.words(hub, delivery); });
    CHECK_THAT(world.until(link_state::down), Catch::Contains(wrong.why));
    world.until(link_state::up);
    world.raw->attached.next();
    while (world.node->tocs.waiting() > 0) world.node->tocs.next();
    world.pull(++delivery);
    const auto half = world.tree.bytes.size() / 2;
    world.say([&](raw_hub& hub) {
      hub.piece(delivery, half, world.tree.bytes.subspan(half));
      hub.announce(delivery, world.tree.bytes.size());
      hub.piece(delivery, 0, world.tree.bytes.first(half));
    });
    world.check_tree(delivery);
  }
}
