@0xb7c1f0a9d35e4c11;
# The table of contents (TOC) of one merged image, usable in place (mmap). It has two parts. The tree, this message,
# is all that a mount needs: it travels first. The content ids, 32 bytes for each content in order of first use,
# follow it; only whoever looks at contents needs them. The tree names their digest, so that its own digest, the
# toc id, covers both. The codec writes the message in one way, so equal images give equal bytes.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

struct Toc {
  version          @0 :UInt16;          # 2
  blockBytes       @1 :UInt32;          # block size of all contents; a power of two
  manifestDigest   @2 :Data;            # SHA-256 of the image manifest, 32 bytes
  manifest         @3 :Data;            # the image manifest, JSON as the registry has it
  config           @4 :Data;            # the image configuration, JSON as the registry has it
  compressedBytes  @5 :UInt64;          # sum of the layers as the registry has them
  inodes           @6 :List(Inode);     # by inode number - 1; the first is the root
  directories      @7 :List(Directory); # the first is the root
  entries          @8 :List(Entry);     # of all directories; a directory's are contiguous, sorted by name bytes
  contentsDigest   @9 :Data;            # SHA-256 of all content ids in order, 32 bytes
  names           @10 :Data;            # all names, symlink targets and xattrs, referred to by offset and length
  xattrs          @11 :List(Xattr);     # of all inodes; an inode's are contiguous, sorted by name
}

# The widths of the following four belong to `version`: they are read as rows (schemas/toc_rows_codec.hpp), so a new
# field makes a new version.

struct Inode {
  mode        @0 :UInt32;   # st_mode: type and permissions
  uid         @1 :UInt32;
  gid         @2 :UInt32;
  links       @3 :UInt32;   # st_nlink
  size        @4 :UInt64;   # st_size
  seconds     @5 :Int64;    # modification time since the epoch
  nanoseconds @6 :UInt32;
  detail      @7 :UInt32;   # regular: number of its content, counted by first use, or 0xffffffff; directory: index into directories;
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
