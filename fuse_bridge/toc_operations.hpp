#pragma once

struct fuse_lowlevel_ops;

namespace firstlight {

/// The low-level operations of a read-only file system over one TOC. All but reads are answered from
/// the TOC on the thread that took the request. The session's core is a `session_context`.
[[nodiscard]] const fuse_lowlevel_ops& toc_operations();

}  // namespace firstlight
