#pragma once
#include <cstdint>

namespace firstlight {

/// Has the kernel back the program's code and the first `heap_bytes` of its heap with memory now, in large
/// pieces, and keeps that heap when it is freed. The first mount after a start touches about a thousand pages
/// for the first time; on a virtual machine each costs up to ten microseconds, one after the other, while a
/// user waits. All threads then allocate from one heap.
/// Only a hint: where the kernel refuses (MADV_POPULATE_WRITE came with Linux 5.14), nothing changes. To be
/// called before the first thread starts. See madvise(2), mallopt(3).
void warm_up_memory(std::uint64_t heap_bytes);

}  // namespace firstlight
