@0xc5f0a7d21e6b4839;
# What a node remembers of one of containerd's snapshots: stored in its metadata database.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct Snapshot {
  id          @0 :UInt64;       # from 1; names the folder of its files
  name        @1 :Data;         # containerd's key; unique
  parent      @2 :Data;         # name of its parent; empty: none
  kind        @3 :UInt8;        # 1 view, 2 active, 3 committed
  labels      @4 :List(Label);  # sorted by key
  createdAt   @5 :Int64;        # nanoseconds since the epoch
  updatedAt   @6 :Int64;        # nanoseconds since the epoch
  usedBytes   @7 :UInt64;       # of a committed one: allocated on the disk
  usedInodes  @8 :UInt64;
  reference   @9 :Data;         # of a remote one: its image as it was pulled, canonical; empty: it is not remote
  platform   @10 :Data;         # os/architecture[/variant]
  layers     @11 :UInt32;       # how many of the image's layers, from the lowest
  layersOf   @12 :UInt32;       # how many the image has
  manifest   @13 :Data;         # digest of the image's manifest, 32 bytes; empty if it is not remote

  struct Label {
    key   @0 :Data;
    value @1 :Data;
  }
}
