#include "fuse_bridge/open_reply.hpp"

#include <cstring>

namespace firstlight {
namespace {

// From the kernel's include/uapi/linux/fuse.h, version 7.40; libfuse 3.14 does not know the last field.
struct open_answer {
  std::uint64_t handle;
  std::uint32_t flags;
  std::int32_t backing_id;
};
constexpr std::uint32_t flag_passthrough = 1U << 7U;  // FOPEN_PASSTHROUGH

struct create_answer {
  struct {
    std::uint64_t number, generation, entry_valid, attributes_valid;
    std::uint32_t entry_valid_ns, attributes_valid_ns;
    std::uint64_t inode, size, blocks, accessed, modified, changed;
    std::uint32_t accessed_ns, modified_ns, changed_ns, mode, links, uid, gid, device, block_bytes, flags;
  } entry;
  open_answer open;
};
static_assert(sizeof(create_answer) == 128 + 16);

create_answer answer_for(const fuse_entry_param& from, open_answer open) {
  create_answer answer{};
  answer.open = open;
  auto& to = answer.entry;
  const auto& st = from.attr;
  to.number = from.ino;
  to.generation = from.generation;
  to.entry_valid = static_cast<std::uint64_t>(from.entry_timeout);
  to.attributes_valid = static_cast<std::uint64_t>(from.attr_timeout);
  to.inode = st.st_ino;
  to.size = static_cast<std::uint64_t>(st.st_size);
  to.blocks = static_cast<std::uint64_t>(st.st_blocks);
  to.accessed = static_cast<std::uint64_t>(st.st_atim.tv_sec);
  to.modified = static_cast<std::uint64_t>(st.st_mtim.tv_sec);
  to.changed = static_cast<std::uint64_t>(st.st_ctim.tv_sec);
  to.accessed_ns = static_cast<std::uint32_t>(st.st_atim.tv_nsec);
  to.modified_ns = static_cast<std::uint32_t>(st.st_mtim.tv_nsec);
  to.changed_ns = static_cast<std::uint32_t>(st.st_ctim.tv_nsec);
  to.mode = st.st_mode;
  to.links = static_cast<std::uint32_t>(st.st_nlink);
  to.uid = st.st_uid;
  to.gid = st.st_gid;
  to.device = static_cast<std::uint32_t>(st.st_rdev);
  to.block_bytes = static_cast<std::uint32_t>(st.st_blksize);
  return answer;
}

}  // namespace

int reply_open(fuse_req_t request, open_way way, fuse_file_info file, const fuse_entry_param* entry) {
  if (!way.through) {
    file.keep_cache = 1;  // nothing changes behind the kernel's back
    return entry == nullptr ? fuse_reply_open(request, &file) : fuse_reply_create(request, entry, &file);
  }
  const open_answer open{file.fh, flag_passthrough, way.backing_id};
  if (entry == nullptr) return fuse_reply_buf(request, reinterpret_cast<const char*>(&open), sizeof open);
  const auto create = answer_for(*entry, open);
  return fuse_reply_buf(request, reinterpret_cast<const char*>(&create), sizeof create);
}

}  // namespace firstlight
