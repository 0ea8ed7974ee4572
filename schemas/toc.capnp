@0xb7c1f0a9d35e4c11;
# The table of contents (TOC) of one merged image, usable in place (mmap). The serialized message is
# in canonical order of fields as the codec writes it, so equal images give equal bytes.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct Toc {
  version          @0 :UInt16;          # 1
  blockBytes       @1 :UInt32;          # block size of all contents; a power of two
  manifestDigest   @2 :Data;            # SHA-256 of the image manifest, 32 bytes
  manifest         @3 :Data;            # the image manifest, JSON as the registry has it
  config           @4 :Data;            # the image configuration, JSON as the registry has it
  compressedBytes  @5 :UInt64;          # sum of the layers as the registry has them
  inodes           @6 :List(Inode);     # by inode number - 1; the first is the root
  directories      @7 :List(Directory); # the first is the root
  entries          @8 :List(Entry);     # of all directories; a directory's are contiguous, sorted by name bytes
  contents         @9 :List(Content);   # unique
  names           @10 :Data;            # all names, symlink targets and xattrs, referred to by offset and length
  xattrs          @11 :List(Xattr);     # of all inodes; an inode's are contiguous, sorted by name
}

struct Inode {
  mode        @0 :UInt32;   # st_mode: type and permissions
  uid         @1 :UInt32;
  gid         @2 :UInt32;
  links       @3 :UInt32;   # st_nlink
  size        @4 :UInt64;   # st_size
  seconds     @5 :Int64;    # modification time since the epoch
  nanoseconds @6 :UInt32;
  detail      @7 :UInt32;   # regular: index into contents or 0xffffffff; directory: index into directories;
                            # symlink: offset of the target in names; devices: major << 20 | minor
  xattrFirst  @8 :UInt32;
  xattrCount  @9 :UInt32;
}

struct Directory {
  inode  @0 :UInt32;        # inode number
  parent @1 :UInt32;        # inode number
  first  @2 :UInt32;        # index into entries
  count  @3 :UInt32;
}

struct Entry {
  inode      @0 :UInt32;    # inode number
  nameOffset @1 :UInt32;    # into names
  nameLength @2 :UInt16;
}

struct Xattr {
  nameOffset  @0 :UInt32;
  valueOffset @1 :UInt32;
  nameLength  @2 :UInt16;
  valueLength @3 :UInt32;
}

struct Content {
  size @0 :UInt64;          # bytes, at least 1
  id0  @1 :UInt64;          # the 32 bytes of the content id as four little-endian words
  id1  @2 :UInt64;
  id2  @3 :UInt64;
  id3  @4 :UInt64;
}
