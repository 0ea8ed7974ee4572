#include "apps/warm_memory.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>

namespace firstlight {
namespace {

/// The whole pages inside a range of addresses.
struct page_range {
  std::uintptr_t begin;
  std::uintptr_t end;

  page_range(std::uintptr_t from, std::uint64_t bytes) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    begin = (from + page - 1) / page * page;
    end = (from + bytes) / page * page;
  }
  void advise(int advice) const {
    // A refused hint costs time only.
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, advice);
  }
};

void warm_up_heap(std::uint64_t bytes) {
  constexpr int largest_threshold = 32 << 20;  // HEAP_MAX_SIZE / 2, what glibc takes
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, largest_threshold);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  void* const heap = std::malloc(bytes);
  if (heap == nullptr) return;
  const page_range pages(reinterpret_cast<std::uintptr_t>(heap), bytes);
  pages.advise(MADV_HUGEPAGE);
  pages.advise(MADV_POPULATE_WRITE);
  std::free(heap);
}

int warm_up_code(dl_phdr_info* object, std::size_t, void*) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    page_range(object->dlpi_addr + segment.p_vaddr, segment.p_memsz).advise(MADV_POPULATE_READ);
  }
  return 1;  // the program itself is the first object: enough
}

}  // namespace

void warm_up_memory(std::uint64_t heap_bytes) {
  warm_up_heap(heap_bytes);
  dl_iterate_phdr(warm_up_code, nullptr);
}

}  // namespace firstlight
