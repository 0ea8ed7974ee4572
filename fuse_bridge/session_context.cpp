#include "fuse_bridge/session_context.hpp"

#include "fuse_bridge/toc_operations.hpp"

namespace firstlight {

const fuse_lowlevel_ops& session_context::operations() const {
  return toc_operations();
}

}  // namespace firstlight
