@0xa41c7d3e92b6f058;
# What one start of an image has read: on the node's disk until its hub has confirmed it, on the wire, and in the
# hub's store. Times are nanoseconds since the start of the instance.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct Trace {
  id        @0 :Data;            # 32 random bytes
  toc       @1 :Data;            # toc id of the image, 32 bytes
  reference @2 :Text;            # as it was mounted, canonical
  group     @3 :Text;            # "default", or the label of instances that are started together
  node      @4 :Text;            # who recorded it; a hub believes the node's certificate instead
  started   @5 :Int64;           # nanoseconds since the epoch
  files     @6 :List(TracedFile);  # by access
  received  @7 :Int64;           # by the first hub that had it, nanoseconds since the epoch; 0 from a node
  imageName @8 :Text;            # of a trace that was imported: "n" and "t" as its file has them
  imageTag  @9 :Text;
  rootedPaths @10 :Bool;         # all paths of that file begin with '/'
  sent      @11 :Int64;          # by the clock that started is of, nanoseconds since the epoch; 0: not said

  struct TracedFile {
    path   @0 :Data;             # in the image, without leading '/'; names need not be UTF-8
    access @1 :Int64;            # first access
    wait   @2 :Int64;            # how long it waited for our delivery, all of its blocks together
    runs   @3 :List(TracedRun);  # by access; empty: opened only
  }
  struct TracedRun {
    first  @0 :UInt32;           # blocks [first, first + count) of the file
    count  @1 :UInt32;
    access @2 :Int64;
    wait   @3 :Int64;
  }
}

struct TraceStamp {              # what a store need not read a whole trace for, beside it
  node      @0 :Text;
  started   @1 :Int64;           # nanoseconds since the epoch
  received  @2 :Int64;           # nanoseconds since the epoch
  bytes     @3 :UInt64;          # of the stored trace
  reference @4 :Text;            # of the image, as it was mounted
  group     @5 :Text;            # "default", or the label of instances that are started together
}

struct PeerQuestion {            # what one hub asks another about its traces
  union {
    ids :group {                 # which have come since
      epoch    @0 :UInt64;       # of the answer before; another one than the answering hub's: from the beginning
      position @1 :UInt64;       # of the answer before
      waitMillis @3 :UInt32;     # without news the answer may come so much later; 0: at once
    }
    trace @2 :Data;              # this one, by its id
  }
}

struct PeerAnswer {
  union {
    ids :group {
      epoch    @0 :UInt64;       # changes when the answering hub is started
      position @1 :UInt64;       # where the next question goes on
      last     @2 :Bool;         # no more for now
      ids      @3 :List(Data);   # 32 bytes each, those of removed traces too
      waited   @5 :Bool;         # the answer was held back until there was news, or for the time that was asked for
    }
    trace @4 :Data;              # a message of type Trace; empty: it is not there any more
  }
}
