#include <fcntl.h>

#include <cstdio>
#include <memory>

#include "test/e2e/streamed_image.hpp"

namespace firstlight {
namespace {

struct file_closer {
  void operator()(std::FILE* open) const { std::fclose(open); }
};
using open_file = std::unique_ptr<std::FILE, file_closer>;

/// Has the kernel drop its pages.
void uncache(const std::vector<open_file>& files) {
  for (const auto& file : files) REQUIRE(posix_fadvise(fileno(file.get()), 0, 0, POSIX_FADV_DONTNEED) == 0);
}

}  // namespace

TEST_CASE("what has arrived is read without a node, also where it was open before and is not cached") {
  if (!cluster::possible()) return;
  const bool stopped = GENERATE(true, false);
  cluster all({.node = {"mount_mode=hybrid"}, .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 8});
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed", mount_kind::writable);
  // For as long as they are open, overlayfs reads them where it found them first: behind FUSE.
  std::vector<open_file> files;
  for (const auto& file : std::filesystem::directory_iterator(target / "data"))
    files.emplace_back(std::fopen(file.path().c_str(), "r"));
  REQUIRE(files.size() == 8);
  for (const auto& file : files) REQUIRE(file);
  CHECK(std::fgetc(files.front().get()) != EOF);
  check_complete(all, "streamed:1");
  if (stopped)
    CHECK(all.stop_node());
  else
    all.kill_node();
  uncache(files);  // as when memory is short
  auto reader = all.run(hash_files(target));
  check_reads_right(all, *reader, image);
  uncache(files);
  all.start_node();
  auto again = all.run(hash_files(target));
  check_reads_right(all, *again, image);
  files.clear();
  REQUIRE(all.on_node({"umount", "streamed"}).exit_code == 0);
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
  CHECK_FALSE(std::filesystem::exists(all.folder() / "run" / "early"));
}

}  // namespace firstlight
