#pragma once
#include <cstdint>

namespace firstlight {

/// Whether the kernel has an inode of this number, in the session of this /dev/fuse: then somebody uses it,
/// or may find it in the kernel's cache. A FUSE_FORGET alone does not tell: it may be about an inode that was
/// dropped before the number was looked up again, and who takes a session over does not know how often it
/// was. Waits for an inode that is being dropped, for which nobody is asked. Beside this, the kernel asks for
/// the attributes of such an inode again.
[[nodiscard]] bool kernel_has_inode(int device, std::uint64_t number);

}  // namespace firstlight
