@0xd0a4e5b19c7f2e38;
# What hub and node say to each other, over mutually authenticated TLS 1.3. A node dials one control
# connection and one or more bulk connections; both bootstrap to `Hub`. See docs/protocol.md.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct Limits {
  messageBytesMax @0 :UInt32;    # largest message that the sender of this struct accepts
  heartbeatMillis @1 :UInt32;    # silence after which it considers the peer gone
}

struct NodeHello {
  protocolVersion @0 :UInt32;
  softwareVersion @1 :Text;
  session         @2 :Data;      # 16 random bytes made by the node; ties its bulk connections to this one
  blockBytes      @3 :UInt32;
  limits          @4 :Limits;
  bulkConnections @5 :UInt32;    # how many the node will attach
  process         @6 :Data;      # 16 random bytes for each process: tells one that joins again from another one
}

struct HubWelcome {
  protocolVersion @0 :UInt32;
  softwareVersion @1 :Text;
  limits          @2 :Limits;
  hubName         @3 :Text;
  bulkCongestion  @4 :Text;      # congestion control of the hub's bulk sockets; "bbr": few connections are enough
  signsWith       @5 :Text;      # PEM of the certificate of its statements: a node can check it before the first one comes
}

interface Hub {
  join   @0 (hello :NodeHello) -> (welcome :HubWelcome, session :Session);
  # Errors (as exception text "errc: detail"): protocol (version, block size), denied, busy.
  attach @1 (session :Data, index :UInt32, sink :BulkSink, opening :Bool) -> ();
  # From a bulk connection, with the bytes of NodeHello.session and the same certificate. May arrive before
  # join: then it waits for it, at most the hub's join time limit.
  # `opening`: it carries pieces alone. The hub ends it when it has no use for it any more; its end ends no session.
}

struct Run {                     # blocks [first, first + count) of one content of the TOC
  content @0 :UInt32;
  first   @1 :UInt32;
  count   @2 :UInt32;
}

struct Had {                     # what the node holds of an image, by its TOC
  toc      @0 :Data;             # toc id, 32 bytes
  complete @1 :Data;             # bit set over the TOC's contents, least significant bit first
  partial  @2 :List(Partial);
  struct Partial {
    content @0 :UInt32;
    blocks  @1 :Data;            # bit set over the content's blocks
  }
}

struct Login {                   # to the registry of the image; a secret: never stored, never shown
  user          @0 :Text;
  password      @1 :Data;
  identityToken @2 :Data;        # for the registry's token server, instead of user and password
  registryToken @3 :Data;        # for the registry itself, as it is
}

struct PullRequest {
  delivery  @0 :UInt64;          # chosen by the node, unique in its session
  reference @1 :Text;
  platform  @2 :Text;            # os/architecture[/variant]
  had       @3 :List(Had);       # images the node holds, whole or in part; the hub ignores unknown TOCs
  toc       @4 :Data;            # not empty: go on with exactly this TOC (32 bytes), whatever the reference means now
  beside    @5 :List(UInt64);    # deliveries that were under way when `had` was looked up
  login     @6 :Login;           # of the caller; null: none
}

struct PullStarted {
  toc             @0 :Data;      # toc id
  tocSent         @1 :Bool;      # false when `had` names this TOC: the node has it
  deliveredBytes  @2 :UInt64;    # unpacked bytes that this delivery will send at most
  segments        @3 :UInt32;
  lastKnown       @4 :Bool;      # the registry was away: the tag's last known meaning was used
}

struct PullProgress {
  stage  @0 :Text;               # "resolving", "fetching layer 2 of 5", ...
  done   @1 :UInt64;             # bytes
  total  @2 :UInt64;             # bytes, 0 if not known
}

interface ProgressSink {
  progress @0 (progress :PullProgress) -> ();
}

interface Session {
  ping   @0 () -> ();
  pull   @1 (request :PullRequest, progress :ProgressSink, openings :UInt32) -> (started :PullStarted);
  # `openings`: how many opening connections the node dials besides.
  want   @2 (delivery :UInt64, runs :List(Run), again :Bool) -> ();
  # Sends these out of turn; what has already left is not repeated, unless `again` says that it arrived damaged.
  cancel @3 (delivery :UInt64) -> ();
  received @4 (delivery :UInt64, toc :Bool, sequence :UInt32) -> ();
  # The segment `sequence`, or with `toc` that part of the TOC, has arrived: its bytes are off the link. The
  # verdict follows.
  trace @5 (trace :Data) -> ();
  # What a start on this node has read, a message of trace.capnp; answered once the hub has it on disk. Errors as
  # of join; `corrupt`, `invalid_argument`, `limit_exceeded`: it will never be taken.
  ask @6 (question :Data) -> (answer :Data);
  # For other hubs only: a PeerQuestion and the PeerAnswer of trace.capnp. A question for what has come since may be
  # answered when there is news, so several are under way at a time. Errors also: `denied`, `not_found`.
}

struct ProofNode {               # one node of a content's Merkle tree
  level @0 :UInt8;               # 0 = leaves
  index @1 :UInt32;
  hash  @2 :Data;
}
struct Proof {
  content @0 :UInt32;
  nodes   @1 :List(ProofNode);
}

struct Segment {
  sequence  @0 :UInt32;          # counts from 0 in its delivery
  runs      @1 :List(Run);
  bytes     @2 :UInt32;          # unpacked, the sum over all runs
  frame     @3 :Data;            # one zstd frame with the bytes of all runs in order
  patchBase @4 :Data;            # content id of the bytes that the frame refers to (zstd refPrefix); empty: none
  proofs    @5 :List(Proof);     # what verifies runs that are not a whole content
  patchSize @6 :UInt64;          # size of the patch base
  outOfTurn @7 :Bool;            # a want brought it forward
}

struct SignedToc {
  statement   @0 :Data;          # a serialized TocStatement
  signature   @1 :Data;          # by the key of `certificate` over `statement`
  certificate @2 :Data;          # PEM, of a hub, issued by the common CA
}
struct TocStatement {
  toc            @0 :Data;       # toc id
  manifestDigest @1 :Data;
  reference      @2 :Text;
  signedAt       @3 :Int64;      # seconds since the epoch
}

enum TocPart {
  tree     @0;                   # a message of toc.capnp: its SHA-256 is the toc id
  contents @1;                   # 32 bytes for each content: their SHA-256 is the tree's contentsDigest
}

struct TocFrame {
  signed    @0 :SignedToc;       # with the tree only
  bytes     @1 :UInt64;          # unpacked
  frame     @2 :Data;            # one zstd frame, or a patch against the same part of the TOC `patchBase`
  patchBase @3 :Data;            # toc id or empty
  part      @4 :TocPart;
  tables    @5 :List(Table);     # the unpacked bytes are in columns: these make a message of them again
  struct Table {
    offset  @0 :UInt64;          # bytes from the begin of the message; in order, without overlap
    rows    @1 :UInt32;
    forms   @2 :Data;            # one byte for each column of 32-bit words; 0: words one after the other, 1: by
                                 # bytes, the lowest of all first; 2 and 3: the same of the differences from row to row
  }
}

enum Landmark {
  guessed  @0;                   # all that the order expects a start to read has been sent
  complete @1;                   # all has been sent
  givenUp  @2;                   # the hub cannot send the rest: nothing more comes in this delivery
}

struct Verdict {                 # the node's answer to a segment or TOC
  code   @0 :UInt8;              # 0 = stored, else errc
  detail @1 :Text;
}

interface BulkSink {
  toc      @0 (delivery :UInt64, toc :TocFrame, inPieces :UInt64) -> (verdict :Verdict);
  # Called for both parts, the tree first; over several connections they may arrive in any order.
  # `inPieces` not 0: so many bytes of TocFrame.frame come as pieces, and the frame here is empty.
  segment  @1 (delivery :UInt64, segment :Segment) -> (verdict :Verdict);
  landmark @2 (delivery :UInt64, landmark :Landmark) -> ();
  padding  @3 (bytes :Data) -> ();   # opens the connection's window at join; its contents mean nothing
  piece    @4 (delivery :UInt64, part :TocPart, offset :UInt64, bytes :Data) -> ();
  # Of the frame that a `toc` with `inPieces` announces, before or after it, over any connection. Without overlap; one
  # that came already is ignored.
}
