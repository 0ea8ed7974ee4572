@0xb84f0d6a17c3e952;
# Between a node and its keeper, one message a packet on their UNIX socket, and what a node lets it keep.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct KeeperMessage {
  union {
    keep @0 :KeptMount;  # node to keeper, with the descriptor of /dev/fuse: replaces one of the same name
    drop @1 :Data;       # node to keeper: the mount of this name is gone
    list @2 :Void;       # node to keeper: answered by one `kept` for each mount and then `end`
    kept @3 :KeptMount;  # keeper to node, with the descriptor
    end  @4 :Void;       # keeper to node
  }
}

struct KeptMount {
  name   @0 :Data;
  init   @1 :Data;       # the kernel's FUSE_INIT message to the session, as it was read
  record @2 :Data;       # a MountRecord: nothing to the keeper
}

struct MountRecord {     # what a node needs to go on with the mount of an earlier process
  image         @0 :Data;    # an ImageRecord
  target        @1 :Data;    # absolute path
  mountedAt     @2 :Int64;   # seconds since the epoch
  writableLayer @3 :UInt64;  # id of the registered layer; 0: read-only
  writablePath  @4 :Data;    # its folder; empty: read-only
  named         @5 :Bool;    # by the user: the writable layer outlives the mount
  madeTarget    @6 :Bool;    # the target folder is ours to remove
  mode          @7 :Data;    # how it is mounted: "hybrid", "overlay" or "fuse"
  forOverlays   @8 :Bool;    # others mount overlays above it, which outlive the process
}
