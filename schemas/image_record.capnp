@0xe3a91f07c55b8d26;
# What a hub or a node remembers of an image that it has: stored in its metadata database.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct ImageRecord {
  reference        @0 :Text;     # canonical form, as the user may name it again
  platform         @1 :Text;     # os/architecture[/variant]
  toc              @2 :Data;     # toc id, 32 bytes
  manifestDigest   @3 :Data;     # 32 bytes
  compressedBytes  @4 :UInt64;   # sum of the layers as the registry has them
  contentBytes     @5 :UInt64;   # sum of all contents, unpacked
  files            @6 :UInt32;   # inodes
  addedAt          @7 :Int64;    # seconds since the epoch
  lastUsedAt       @8 :Int64;    # seconds since the epoch: last pull (hub) or mount (node)
  checkedAt        @9 :Int64;    # seconds since the epoch: when the source was last asked what the tag means
  complete        @10 :Bool;     # all contents are stored and durable
  topDigest       @11 :Data;     # what the tag pointed to: an index or the manifest, 32 bytes
  source          @12 :Text;     # the reference that it is read from, canonical; differs from `reference` if named by the user
  layers          @13 :UInt32;   # how many the manifest names
}

struct StoredOrder {             # in which order a start of the image reads it
  runs    @0 :List(StoredRun);
  guessed @1 :UInt32;            # how many leading runs a start is expected to read
  traces  @2 :UInt32;            # of how many starts it was learned; 0: guessed without any
  relative @3 :Text;             # whose starts those were, if not this image's own: a reference
  positionsMs @4 :List(UInt32);  # when a start is expected to read each of the leading runs; empty: not known
  readPercents @5 :List(UInt8);  # share of those starts, by weight, that have read the leading runs; empty: not known
}

struct StoredRun {               # blocks of one content of the TOC
  content @0 :UInt32;
  first   @1 :UInt32;
  count   @2 :UInt32;
}
