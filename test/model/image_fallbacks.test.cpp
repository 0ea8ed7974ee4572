#include "model/image_fallbacks.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

instant at(int second) {
  return instant(std::chrono::seconds(second));
}

}  // namespace

TEST_CASE("the last layer of an image that fell back is known for some time, until one is delivered") {
  image_fallbacks images(10);
  const std::chrono::seconds span(10);
  CHECK_FALSE(images.last_layer("a", at(1), span));
  images.note("a", "1", at(1));
  CHECK(images.last_layer("a", at(10), span) == "1");
  CHECK_FALSE(images.last_layer("a", at(11), span));
  images.note("a", "2", at(9));
  CHECK(images.last_layer("a", at(11), span) == "2");
  CHECK_FALSE(images.last_layer("b", at(11), span));
  images.forget("a");
  CHECK_FALSE(images.last_layer("a", at(11), span));
}

TEST_CASE("of too many images that fell back the one whose last layer is the longest ago is forgotten") {
  image_fallbacks images(2);
  const std::chrono::seconds span(10);
  images.note("a", "1", at(1));
  images.note("b", "1", at(2));
  images.note("a", "2", at(3));
  images.note("c", "1", at(4));
  CHECK(images.size() == 2);
  CHECK(images.last_layer("a", at(5), span));
  CHECK_FALSE(images.last_layer("b", at(5), span));
  CHECK(images.last_layer("c", at(5), span));
}
