#include "fuse_bridge/kernel_inode.hpp"

#include <linux/fuse.h>
#include <unistd.h>

#include <cerrno>

namespace firstlight {

bool kernel_has_inode(int device, std::uint64_t number) {
  // To drop the attributes of an inode, and of no contents, is the one message with an answer.
  struct {
    fuse_out_header header;
    fuse_notify_inval_inode_out inode;
  } message{{sizeof message, FUSE_NOTIFY_INVAL_INODE, 0}, {number, -1, 0}};
  return write(device, &message, sizeof message) == sizeof message || errno != ENOENT;
}

}  // namespace firstlight
