@0xc8f3d1b27a60e95d;
# What a daemon and its local command line or console say to each other. Structs and fields are those
# of schemas/admin.hpp, which says what each means; the codec finds fields by name. Bytes that are no
# valid UTF-8 may stand in a path.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire::admin");

struct Image {
  reference        @0 :Text;         # as it was added, e.g. "docker.io/library/redis:7"
  platform         @1 :Text;         # os/architecture[/variant]
  manifest         @2 :Text;         # digest of the image manifest
  toc              @3 :Text;         # digest of the table of contents
  source           @4 :Text;         # where it came from: "registry", "oci:DIR", "oci-archive:FILE", ...
  compressedBytes  @5 :UInt64;       # of all layers, as the registry has them
  contentBytes     @6 :UInt64;       # of all files, each equal one once
  tocBytes         @7 :UInt64;
  files            @8 :UInt32;       # inodes of the merged tree
  layers           @9 :UInt32;
  addedAt         @10 :Int64;
  checkedAt       @11 :Int64;        # when the registry last confirmed the tag; 0: never asked
  lastKnown       @12 :Bool;         # the registry was away at the last check
  lastError       @13 :Text;         # why, of the last check
}

struct ImageLayer {                  # one layer of an image, as its source has it
  digest    @0 :Text;
  bytes     @1 :UInt64;
  mediaType @2 :Text;
}

struct Delivery {
  id                    @0 :UInt64;
  reference             @1 :Text;
  platform              @2 :Text;
  toc                   @3 :Text;
  state                 @4 :Text;    # "resolving", "receiving", "waiting for the link", "complete", "failed", "cancelled"
  stage                 @5 :Text;    # of a resolving one: what the hub does, e.g. "fetching layer 2 of 5"
  bytesReceived         @6 :UInt64;  # on the wire: frames with their proofs and the TOC
  bytesStored           @7 :UInt64;  # unpacked and verified
  bytesTotal            @8 :UInt64;  # unpacked bytes that the delivery brings at most
  segmentsReceived      @9 :UInt32;
  segmentsTotal        @10 :UInt32;
  rateBytesPerSecond   @11 :UInt64;  # on the wire, over the last second; of an ended one over all
  wants                @12 :UInt32;  # runs of blocks asked for out of turn
  verificationFailures @13 :UInt32;  # segments that did not match and were asked for again
  elapsedMs            @14 :UInt64;  # until now, or until it ended
  lastKnown            @15 :Bool;    # the tag's last known meaning was used
  error                @16 :Text;    # of a failed one
}

struct Waiting {
  pid       @0 :UInt32;
  path      @1 :Text;                # in the image; bytes that are not UTF-8 are shown as U+FFFD
  offset    @2 :UInt64;
  bytes     @3 :UInt32;
  waitingMs @4 :UInt64;
  cause     @5 :Text;                # what it waits for, e.g. "3 blocks, asked for", "the link"
}

struct Mount {
  name           @0 :Text;
  target         @1 :Text;
  reference      @2 :Text;
  platform       @3 :Text;
  toc            @4 :Text;
  method         @5 :Text;           # "overlay on FUSE", "read-only FUSE"
  readOnly       @6 :Bool;
  complete       @7 :Bool;           # all contents are there; false: lazy
  bytesReady     @8 :UInt64;         # of contents that are there
  bytesTotal     @9 :UInt64;
  reads         @10 :UInt64;         # read requests that the kernel sent
  readBytes     @11 :UInt64;
  waits         @12 :UInt64;         # read requests that had to wait for a block
  misses        @13 :UInt64;         # blocks that had not arrived when they were first read
  waitLongestMs @14 :UInt64;
  waitTotalMs   @15 :UInt64;
  failedBlocks  @16 :UInt32;         # blocks that will not come: their readers get EIO
  lastError     @17 :Text;           # why
  waiting       @18 :List(Waiting);
  mountedAt     @19 :Int64;
  requests      @22 :UInt64;         # of every kind that the kernel sent to FUSE
  mode          @21 :Text;           # "hybrid", "overlay" or "fuse"
  fallback      @20 :Text;           # why this way of mounting and not a better one; empty if it is the best
  opensThrough   @23 :UInt64;         # open files that the kernel serves from a backing file (passthrough)
  opensByFuse    @24 :UInt64;         # those that it asks FUSE about, where passthrough would be possible
  lower          @25 :Text;           # of one for overlays: the lowest part of their lowerdir
  failure        @26 :Text;           # that nothing more arrives on it though programs use it; empty: it works
}

struct NodeImage {
  reference        @0 :Text;
  platform         @1 :Text;
  manifest         @2 :Text;
  toc              @3 :Text;
  complete         @4 :Bool;
  bytesReady       @5 :UInt64;
  bytesTotal       @6 :UInt64;
  compressedBytes  @7 :UInt64;
  files            @8 :UInt32;
  mounts           @9 :UInt32;
  lastUsedAt      @10 :Int64;
}

struct Link {
  state             @0 :Text;        # "up", "connecting", "down"
  peer              @1 :Text;        # name in the hub's certificate
  address           @2 :Text;
  lastError         @3 :Text;
  reconnects        @4 :UInt32;
  bytesReceived     @5 :UInt64;
  paddingBytes      @6 :UInt64;
  bulkConnections   @7 :UInt32;
  congestionControl @8 :Text;
  roundTripUs       @9 :UInt64;
}

struct Session {
  name               @0 :Text;       # in its certificate
  address            @1 :Text;
  version            @2 :Text;
  joinedAt           @3 :Int64;
  bytesSent          @4 :UInt64;
  bytesInFlight      @5 :UInt64;
  creditBytes        @6 :UInt64;
  roundTripUs        @7 :UInt64;
  bulkConnections    @8 :UInt32;
  congestionControl  @9 :Text;
  deliveries        @10 :List(Delivery);
}

struct Ingestion {
  reference @0 :Text;
  platform  @1 :Text;
  stage     @2 :Text;
  done      @3 :UInt64;
  total     @4 :UInt64;
  elapsedMs @5 :UInt64;
}

struct Layer {
  key        @0 :Text;               # what it was registered as, e.g. a chain id
  path       @1 :Text;               # absolute
  writable   @2 :Bool;
  complete   @3 :Bool;
  references @4 :UInt32;
  lastUsedAt @5 :Int64;
}

struct ImageAdd {
  reference @0 :Text;                # or "oci:DIR[:TAG]", "oci-archive:FILE[:TAG]", "docker-archive:FILE[:TAG]"
  platform  @1 :Text;                # empty: the host's
  name      @2 :Text;                # under which nodes pull it; empty: as the reference says
}

struct ImageListRequest {}

struct ImageShow {
  reference @0 :Text;
  platform  @1 :Text;
}

struct ImageRemove {
  reference @0 :Text;
  platform  @1 :Text;
}

struct HubStatusRequest {}

enum PullUntil {
  mountable @0;      # the table of contents is there
  complete @1;       # all contents are there
  started @2;        # it has been asked for
}

struct Login {
  user          @0 :Text;
  password      @1 :Data;
  identityToken @2 :Data;            # for the registry's token server, instead of user and password
  registryToken @3 :Data;            # for the registry itself, as it is
}

struct Pull {
  reference @0 :Text;
  platform  @1 :Text;
  until     @2 :PullUntil;
  containerdNamespace @3 :Text;      # containerd is told of the image there; empty: it is not told
  login     @4 :Login;               # to the image's registry
  forContainerd @5 :Bool;            # containerd asks, no user: the image goes with its last snapshot
}

struct MountRequest {
  reference @0 :Text;
  platform  @1 :Text;
  target    @2 :Text;                # absolute; made when missing. Empty: a folder below the run folder
  name      @3 :Text;                # unique; empty: made from the reference
  readOnly  @4 :Bool;
  mode      @5 :Text;                # "auto", "hybrid", "overlay", "fuse"; empty: as the node is set up
  group     @6 :Text;                # of instances that are started together; empty: none
  record    @7 :Bool;                # every block that programs read, whatever it costs
  forOverlays @8 :Bool;              # others mount overlays above it: what they need stays when the node stops
  login     @9 :Login;               # to the image's registry
}

struct Umount {
  mount @0 :Text;                    # its name or its target
  lazy  @1 :Bool;                    # also when in use: gone from the tree now, torn down with its last user
}

struct Commit {
  mount @0 :Text;                    # its name or its target
  file  @1 :Text;                    # absolute; must not exist
}

struct ListRequest {}

struct NodeStatusRequest {}

struct Wait {
  what      @0 :Text;                # a mount's name or target, or a reference
  platform  @1 :Text;
  timeoutMs @2 :UInt64;              # 0: no limit
}

struct BundleSave {
  references @0 :List(Text);
  platform   @1 :Text;
  file       @2 :Text;               # absolute; must not exist
}

struct BundleLoad {
  file @0 :Text;                     # absolute
}

enum LayerPlace {
  automatic @0;      # below the store, named by the key
  prefix @1;         # path and a number that is free
  relative @2;       # path below the store
  absolute @3;       # path as it is
}

struct LayerRegister {
  key      @0 :Text;
  place    @1 :LayerPlace;
  path     @2 :Text;                 # of prefix, relative and absolute places
  writable @3 :Bool;
  complete @4 :Bool;
}

struct LayerListRequest {}

struct LayerFind {
  key @0 :Text;
}

struct LayerComplete {
  key @0 :Text;
}

struct LayerRemove {
  key       @0 :Text;
  keepFiles @1 :Bool;
}

struct Done {}

struct ImageList {
  images @0 :List(Image);
}

struct ImageDetail {
  image        @0 :Image;
  manifestJson @1 :Text;
  configJson   @2 :Text;
  layers       @3 :List(ImageLayer);  # lowest first
}

struct HubStatus {
  version           @0 :Text;
  protocolVersion   @1 :UInt32;
  name              @2 :Text;
  listen            @3 :Text;        # host:port
  uptimeMs          @4 :UInt64;
  images            @5 :UInt32;
  contents          @6 :UInt64;
  storeBytes        @7 :UInt64;
  storeBytesMax     @8 :UInt64;      # 0: no limit
  segmentsMade      @9 :UInt64;
  segmentsReused   @10 :UInt64;      # taken from the cache: cost no CPU
  connections      @11 :UInt32;      # open, of all kinds
  handshakesFailed @12 :UInt64;
  nodes            @13 :List(Session);
  ingestions       @14 :List(Ingestion);
  lastKnown        @15 :List(Image); # images whose tag could not be checked lately
  notices          @16 :List(Text);  # what the user should know or change, one line each
  tracesReceived   @17 :UInt64;      # new ones, since the hub was started
  tracesRefused    @18 :UInt64;
  peers            @19 :List(Peer);  # other hubs that this one has joined
  draining         @20 :Bool;        # new pulls are refused
  segmentsDense    @21 :UInt64;      # packed anew, smaller, before anybody wanted them
  joinedHubs       @22 :UInt32;      # other hubs that have joined this one
  ordersLearned    @23 :UInt64;      # from new traces, since the hub was started
}

struct NodeStatus {
  version               @0 :Text;
  protocolVersion       @1 :UInt32;
  name                  @2 :Text;
  uptimeMs              @3 :UInt64;
  link                  @4 :Link;
  images                @5 :UInt32;
  imagesComplete        @6 :UInt32;
  storeBytes            @7 :UInt64;
  storeBytesMax         @8 :UInt64;  # 0: no limit
  verificationFailures  @9 :UInt64;
  deliveries           @10 :List(Delivery); # running ones, then ended ones, latest first
  mounts               @11 :List(Mount);
  notices              @12 :List(Text); # what fell back and why, one line each
  tracesUnsent         @13 :UInt32;  # on disk until the hub has them
  tracesSent           @14 :UInt64;  # since the node was started
  tracesRefused        @15 :UInt64;  # by the hub, for good
  draining             @16 :Bool;    # new mounts and pulls are refused
  snapshots            @17 :Snapshots;
  filesRecorded        @18 :UInt32;  # of starts that are being recorded, as far as they are on disk
  recording            @19 :Recording;
}

struct Recording {                   # which starts are recorded
  mode   @0 :Text;                   # the setting: always, first, never; empty: of an earlier version
  starts @1 :UInt32;                 # of an image, with mode first
  words  @2 :List(TraceSwitch);      # what users have said otherwise
}

struct Snapshots {                   # what the node keeps for containerd
  socket       @0 :Text;             # empty: it serves none
  count        @1 :UInt32;
  remote       @2 :UInt32;           # layers that the hub delivers
  prepared     @3 :UInt64;           # layers that containerd need not download, since the node was started
  fallbacks    @4 :UInt64;           # times that containerd downloaded an image instead, since the node was started
  lastFallback @5 :Text;             # which and why
}

struct Pulled {
  image    @0 :NodeImage;
  delivery @1 :Delivery;
}

struct Mounted {
  mount      @0 :Mount;
  configJson @1 :Text;               # the image's configuration: what run needs
  delivery   @2 :Delivery;
  elapsedMs  @3 :UInt64;             # from the request until the mount could be used
}

struct Listing {
  images @0 :List(NodeImage);
  mounts @1 :List(Mount);
}

struct Waited {
  image    @0 :NodeImage;
  delivery @1 :Delivery;
}

struct Bundle {
  file       @0 :Text;
  references @1 :List(Text);
  bytes      @2 :UInt64;             # of the file
}

struct Committed {
  file    @0 :Text;
  bytes   @1 :UInt64;
  entries @2 :UInt64;
  diffId  @3 :Text;                  # sha256:<hex> of the file, which is not compressed
}

struct LayerList {
  layers @0 :List(Layer);
}

struct Progress {
  stage @0 :Text;                    # for people, e.g. "fetching layer 2 of 5"
  done  @1 :UInt64;                  # bytes
  total @2 :UInt64;                  # bytes; 0: not known
}

# ---- traces: fields as schemas/admin_learning.hpp explains them

struct Peer {
  address @0 :Text;
  name @1 :Text;
  state @2 :Text;
  lastError @3 :Text;
  tracesSent @4 :UInt64;
  tracesFetched @5 :UInt64;
  exchangedAt @6 :Int64;
}

struct TraceListRequest {}

struct TraceShow {
  reference @0 :Text;
  platform @1 :Text;
  orderMax @2 :UInt32;
  trace @3 :Text;
}

struct TraceImport {
  files @0 :List(Text);
  platform @1 :Text;
  first @2 :UInt32;
}

struct TraceExport {
  reference @0 :Text;
  platform @1 :Text;
  after @2 :Text;
}

struct TraceRemove {
  reference @0 :Text;
  platform @1 :Text;
  id @2 :Text;
}

struct TraceScore {
  reference @0 :Text;
  platform @1 :Text;
  orders @2 :List(Text);
  roundTripMs @3 :UInt32;
  bytesPerSecond @4 :UInt64;
  tracesMax @5 :UInt32;
  plot @6 :Bool;
  packed @7 :Bool;                    # count packed bytes too, which takes seconds
}

struct TraceSwitch {
  reference @0 :Text;
  group @1 :Text;
  on @2 :Bool;
}

struct TraceDefault {                 # what TraceSwitch said of the same is taken back
  reference @0 :Text;
  group @1 :Text;
}

struct TracedImage {
  reference @0 :Text;
  platform @1 :Text;
  toc @2 :Text;
  traces @3 :UInt32;
  learnedFrom @4 :UInt32;
  relative @5 :Text;
  orderRuns @6 :UInt32;
  expectedBytes @7 :UInt64;
}

struct TraceList {
  images @0 :List(TracedImage);
  received @1 :UInt64;
  repeated @2 :UInt64;
  refused @3 :UInt64;
  refusals @4 :List(Text);
}

struct Trace {
  id @0 :Text;
  node @1 :Text;
  group @2 :Text;
  startedAt @3 :Int64;
  files @4 :UInt32;
  blocks @5 :UInt64;
  spanMs @6 :UInt64;
  waitMs @7 :UInt64;
}

struct OrderRun {
  path @0 :Text;
  first @1 :UInt32;
  count @2 :UInt32;
  expected @3 :Bool;
  readPercent @4 :UInt32;
}

struct TraceRun {
  first @0 :UInt32;
  count @1 :UInt32;
  accessNs @2 :UInt64;
  waitNs @3 :UInt64;
}

struct TraceFile {
  path @0 :Text;
  accessNs @1 :UInt64;
  waitNs @2 :UInt64;
  runs @3 :List(TraceRun);
}

struct TraceDetail {
  image @0 :TracedImage;
  traces @1 :List(Trace);
  order @2 :List(OrderRun);
  files @3 :List(TraceFile);
}

struct TraceImported {
  added @0 :UInt32;
  known @1 :UInt32;
  refused @2 :List(Text);
}

struct TraceText {
  id @0 :Text;
  json @1 :Text;
}

struct TraceTexts {
  traces @0 :List(TraceText);
  collection @1 :Text;
  more @2 :Bool;
}

struct TraceRemoved {
  traces @0 :UInt32;
}

struct Recall {
  streamPercent @0 :UInt32;
  readPercent @1 :UInt32;
}

struct TraceScoreRow {
  order @0 :Text;
  trace @1 :Text;
  stallUs @2 :UInt64;
  endUs @3 :UInt64;
  misses @4 :UInt32;
  touchedBytes @5 :UInt64;
  sentBytes @6 :UInt64;
  recall @7 :List(Recall);
  packedTouchedBytes @8 :UInt64;      # what was read alone, as one zstd -19 frame; zero unless asked for
  packedSentBytes @9 :UInt64;         # on the wire before the last block that was read; zero unless asked for
}

struct TraceScores {
  rows @0 :List(TraceScoreRow);
  svg @1 :Text;
}

# ---- operations: fields as schemas/admin_operations.hpp explains them

struct Evict {
  reference @0 :Text;
  platform @1 :Text;
}

struct Reconnect {}

struct Drain {
  on @0 :Bool;
}

struct LogLevel {
  level @0 :Text;
}

struct EventsRequest {
  after @0 :UInt64;
  wait @1 :Bool;
}

struct WaitersRequest {}

struct ReceiversRequest {}

struct Evicted {
  references @0 :List(Text);
  bytes @1 :UInt64;
}

struct Event {
  number @0 :UInt64;
  atMs @1 :Int64;
  kind @2 :Text;
  about @3 :Text;
}

struct Events {
  events @0 :List(Event);
}

struct Waiter {
  mount @0 :Text;
  reference @1 :Text;
  process @2 :UInt32;
  command @3 :Text;
  path @4 :Text;
  offset @5 :UInt64;
  bytes @6 :UInt32;
  firstBlock @7 :UInt32;
  blocks @8 :UInt32;
  sinceMs @9 :Int64;
  waitingMs @10 :UInt64;
  cause @11 :Text;
}

struct Waiters {
  waiters @0 :List(Waiter);
  count @1 :UInt64;
}

struct Receivers {
  receivers @0 :List(Delivery);
}

struct AdminRequest {
  union {
    imageAdd @0 :ImageAdd;
    imageListRequest @1 :ImageListRequest;
    imageShow @2 :ImageShow;
    imageRemove @3 :ImageRemove;
    hubStatusRequest @4 :HubStatusRequest;
    pull @5 :Pull;
    mountRequest @6 :MountRequest;
    umount @7 :Umount;
    listRequest @8 :ListRequest;
    nodeStatusRequest @9 :NodeStatusRequest;
    wait @10 :Wait;
    bundleSave @11 :BundleSave;
    bundleLoad @12 :BundleLoad;
    layerRegister @13 :LayerRegister;
    layerListRequest @14 :LayerListRequest;
    layerFind @15 :LayerFind;
    layerComplete @16 :LayerComplete;
    layerRemove @17 :LayerRemove;
    commit @18 :Commit;
    traceListRequest @19 :TraceListRequest;
    traceShow @20 :TraceShow;
    traceImport @21 :TraceImport;
    traceExport @22 :TraceExport;
    traceRemove @23 :TraceRemove;
    traceScore @24 :TraceScore;
    traceSwitch @25 :TraceSwitch;
    evict @26 :Evict;
    reconnect @27 :Reconnect;
    drain @28 :Drain;
    logLevel @29 :LogLevel;
    eventsRequest @30 :EventsRequest;
    waitersRequest @31 :WaitersRequest;
    receiversRequest @32 :ReceiversRequest;
    traceDefault @33 :TraceDefault;
  }
}

struct AdminReply {
  union {
    done @0 :Done;
    image @1 :Image;
    imageList @2 :ImageList;
    imageDetail @3 :ImageDetail;
    hubStatus @4 :HubStatus;
    nodeStatus @5 :NodeStatus;
    pulled @6 :Pulled;
    mounted @7 :Mounted;
    listing @8 :Listing;
    waited @9 :Waited;
    bundle @10 :Bundle;
    layer @11 :Layer;
    layerList @12 :LayerList;
    committed @13 :Committed;
    traceList @14 :TraceList;
    traceDetail @15 :TraceDetail;
    traceImported @16 :TraceImported;
    traceTexts @17 :TraceTexts;
    traceRemoved @18 :TraceRemoved;
    traceScores @19 :TraceScores;
    evicted @20 :Evicted;
    events @21 :Events;
    waiters @22 :Waiters;
    receivers @23 :Receivers;
  }
}
