#include "test/e2e/streamed_image.hpp"

namespace firstlight {

TEST_CASE("an update that changes little of an image brings little over the wire") {
  if (!cluster::possible()) return;
  cluster all;
  const auto first = make_streamed_image(all.folder() / "first");
  const auto second = make_streamed_image(all.folder() / "second", {.changed = 6});
  all.add(first.layout, "app:1");
  all.add(second.layout, "app:2");
  all.mount("app:1", "first");
  check_complete(all, "app:1");
  const auto before = all.bytes_received();
  REQUIRE(before >= first.bytes);

  auto reader = all.run(hash_files(all.mount("app:2", "second")));
  check_reads_right(all, *reader, second);
  check_complete(all, "app:2");
  CHECK(all.bytes_received() - before < 100'000);
  CHECK(hashes_of(all, all.folder() / "mounts" / "first") == hashes_of(all, first.tree));
}

}  // namespace firstlight
