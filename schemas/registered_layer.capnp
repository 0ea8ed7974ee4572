@0x9e2d7a60b4c1f853;
# What a node remembers of a registered layer: stored in its metadata database.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct RegisteredLayer {
  id         @0 :UInt64;       # from 1, never used again
  name       @1 :Data;         # unique; bytes of a path
  path       @2 :Data;         # absolute path; bytes
  access     @3 :UInt8;        # 1 read-only, 2 writable
  progress   @4 :UInt8;        # 1 incomplete, 2 complete
  toc        @5 :Data;         # toc id, 32 bytes, or empty
  labels     @6 :List(Label);  # sorted by key
  createdAt  @7 :Int64;        # seconds since the epoch
  usedAt     @8 :Int64;        # seconds since the epoch
  references @9 :UInt32;

  struct Label {
    key   @0 :Data;
    value @1 :Data;
  }
}
