#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "storage/erofs/erofs_image.hpp"
#include "storage/posix_file.hpp"
#include "test/fuzz/fuzz_entry.hpp"
#include "test/harness/random_tree.hpp"

using namespace firstlight;

namespace {

constexpr erofs_limits limits{.image_bytes_max = 64ULL << 20U};

/// As many different content ids as the TOC wants.
shared_bytes made_up_contents(std::uint32_t count) {
  std::vector<std::byte> ids(std::size_t{count} * sizeof(digest));
  for (std::uint32_t i = 0; i < count; ++i) std::memcpy(ids.data() + i * sizeof(digest), &i, sizeof i);
  return share(std::move(ids));
}

}  // namespace

/// Whatever a TOC says, its image is refused or has the size that was planned.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);  // vectors are aligned
  if (size != 0) std::memcpy(bytes.data(), data, size);
  const auto toc = toc_view::open(share(std::move(bytes)));
  if (!toc || !(*toc)->learn_contents(made_up_contents((*toc)->content_count()))) return 0;
  const auto image = erofs_image::plan(*toc, {}, limits);
  if (!image) return 0;
  const file_descriptor file(memfd_create("image", MFD_CLOEXEC));
  struct stat status {};
  if (!image->write(file.get()) || fstat(file.get(), &status) != 0) std::abort();
  if (static_cast<std::uint64_t>(status.st_size) != image->bytes()) std::abort();
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto bytes = encode_toc({}, random_image_tree(i, static_cast<std::uint32_t>(1 + i * 40))).value();
    seeds.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return seeds;
}
