#include "storage/erofs/erofs_plans.hpp"

#include "test/harness/node/test_image.hpp"
#include "test/storage/erofs/erofs_fixture.hpp"

namespace firstlight {
namespace {

/// An image of so many files in one folder.
shared_toc image_of(int files) {
  image_builder builder;
  for (int i = 0; i < files; ++i) builder.file("f" + std::to_string(i), "x");
  return builder.build().toc;
}

std::string written_by(const erofs_image& image) {
  const temporary_folder folder;
  const auto path = folder.path() / "image";
  const file_descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(image.write(file.get()));
  return bytes_of_file(path);
}

}  // namespace

TEST_CASE("what was planned ahead is taken once, and is what a mount would have planned") {
  erofs_plans plans({});
  auto toc = image_of(3);
  const auto id = toc_id{sha256(toc->message())};
  const std::weak_ptr<const toc_view> held = toc;
  const auto expected = written_by(planned(toc));
  plans.plan_ahead(toc, id);
  CHECK(toc.use_count() > 1);
  {
    const auto image = plans.take(toc, id);
    REQUIRE(image);
    CHECK(written_by(*image) == expected);
  }
  CHECK(toc.use_count() == 1);
  CHECK(written_by(plans.take(toc, id).value()) == expected);
  toc.reset();
  CHECK(held.expired());
}

TEST_CASE("plans that nobody takes make room for later ones") {
  erofs_plans plans({.planned_ahead_max = 2});
  std::vector<shared_toc> tocs;
  for (int i = 0; i < 3; ++i) {
    tocs.push_back(image_of(i));
    plans.plan_ahead(tocs.back(), {});
  }
  CHECK(tocs[0].use_count() == 1);
  CHECK(tocs[1].use_count() > 1);
  CHECK(tocs[2].use_count() > 1);
  plans.plan_ahead(tocs[2], {});  // once more
  CHECK(tocs[1].use_count() > 1);
}

TEST_CASE("images of many files are not planned ahead") {
  erofs_plans plans({.planned_ahead_inodes_max = 4});
  const auto few = image_of(3);
  const auto many = image_of(4);
  plans.plan_ahead(few, {});
  plans.plan_ahead(many, {});
  CHECK(few.use_count() > 1);
  CHECK(many.use_count() == 1);
  CHECK(plans.take(many, {}));
}

TEST_CASE("an image that cannot be planned is refused when it is taken") {
  erofs_plans plans({.image_bytes_max = 1});
  const auto toc = image_of(1);
  plans.plan_ahead(toc, {});
  CHECK(toc.use_count() == 1);
  CHECK(plans.take(toc, {}).error().code == errc::limit_exceeded);
}

}  // namespace firstlight
