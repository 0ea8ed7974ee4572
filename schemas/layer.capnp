@0xd1f7a3c95b0e6284;
# The entries of one layer, as they are kept so that the layer need not be read again.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct Layer {
  version @0 :UInt16;           # 1
  entries @1 :List(LayerEntry); # in the order of the tar
}

struct LayerEntry {
  path        @0 :Data;         # bytes as the tar has them
  type        @1 :UInt8;        # 1 regular, 2 directory, 3 symlink, 4 character, 5 block, 6 fifo, 7 hard link
  permissions @2 :UInt16;       # 12 bits
  uid         @3 :UInt32;
  gid         @4 :UInt32;
  seconds     @5 :Int64;        # modification time since the epoch
  nanoseconds @6 :UInt32;       # below 10^9
  linkTarget  @7 :Data;         # symlinks and hard links
  deviceMajor @8 :UInt32;
  deviceMinor @9 :UInt32;
  size       @10 :UInt64;       # bytes; 0 for all but regular files that are not empty
  content    @11 :Data;         # content id, 32 bytes; empty if size is 0
  xattrs     @12 :List(LayerXattr);
}

struct LayerXattr {
  name  @0 :Data;
  value @1 :Data;
}
