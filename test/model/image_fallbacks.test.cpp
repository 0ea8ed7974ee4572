#include "model/image_fallbacks.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

instant at(int second) {
  return instant(std::chrono::seconds(second));
}

}  // namespace

TEST_CASE("an image falls back once, however many of its layers do, until one is delivered") {
  image_fallbacks images(10);
  CHECK(images.note("a", at(1)));
  CHECK_FALSE(images.note("a", at(2)));
  CHECK(images.note("b", at(3)));
  images.forget("a");
  CHECK(images.note("a", at(4)));
  CHECK_FALSE(images.note("b", at(5)));
}

TEST_CASE("an image has fallen back a short time ago as long as its last layer has") {
  image_fallbacks images(10);
  const std::chrono::seconds span(10);
  CHECK_FALSE(images.is_recent("a", at(1), span));
  images.note("a", at(1));
  CHECK(images.is_recent("a", at(10), span));
  CHECK_FALSE(images.is_recent("a", at(11), span));
  images.note("a", at(9));
  CHECK(images.is_recent("a", at(11), span));
  CHECK_FALSE(images.is_recent("b", at(11), span));
  images.forget("a");
  CHECK_FALSE(images.is_recent("a", at(11), span));
}

TEST_CASE("of too many images that fell back the one whose last layer is the longest ago is forgotten") {
  image_fallbacks images(2);
  CHECK(images.note("a", at(1)));
  CHECK(images.note("b", at(2)));
  CHECK_FALSE(images.note("a", at(3)));
  CHECK(images.note("c", at(4)));
  CHECK(images.size() == 2);
  CHECK_FALSE(images.note("a", at(5)));
  CHECK(images.note("b", at(6)));
}
