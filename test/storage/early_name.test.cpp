#include "storage/early_name.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

content_id any_id() {
  content_id id;
  for (auto& byte : id.root.bytes) byte = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
  return id;
}

early_content any_early() {
  return {*rc::gen::inRange<std::uint32_t>(0, 1U << 30U), *rc::gen::arbitrary<std::uint32_t>()};
}

std::string text(const early_content& content) {
  const auto name = early_name(content);
  return {name.begin(), name.end()};
}

looked_up_name looked_up(std::string_view name) {
  return {name.substr(0, 2), name.substr(3)};
}

}  // namespace

TEST_CASE("an early name says its content, and no id") {
  CHECK(rc::check([] {
    const auto content = any_early();
    const auto name = text(content);
    RC_ASSERT(name.size() == content_name::bytes);
    RC_ASSERT(looked_up(name).early() == content);
    RC_ASSERT(!looked_up(name).id());
    RC_ASSERT(!looked_up(name).could_be(any_id()));
  }));
}

TEST_CASE("a real name says its id, and nothing early") {
  CHECK(rc::check([] {
    const auto id = any_id();
    const content_name name(id);
    RC_ASSERT(looked_up(name.view()).id() == id);
    RC_ASSERT(looked_up(name.view()).could_be(id));
    RC_ASSERT(!looked_up(name.view()).early());
  }));
}

TEST_CASE("a name that is overwritten while it is read still says its content, wherever the reader stood") {
  CHECK(rc::check([] {
    const auto content = any_early();
    const auto id = any_id();
    const auto early = text(content);
    const std::string real(content_name(id).view());
    const auto at = *rc::gen::inRange<std::size_t>(0, content_name::bytes + 1);
    for (const auto& mixed : {real.substr(0, at) + early.substr(at), early.substr(0, at) + real.substr(at)}) {
      const auto name = looked_up(mixed);
      RC_ASSERT(name.early() == content || name.could_be(id));
      RC_ASSERT(!name.early() || name.early() == content);
    }
  }));
}

TEST_CASE("other names say nothing") {
  const std::string long_enough(62, 'a');
  for (const auto& name : {looked_up_name{"ab", "short"}, looked_up_name{"a", long_enough},
                           looked_up_name{"AB", long_enough}, looked_up_name{"ab", std::string_view("")}}) {
    CHECK_FALSE(name.valid());
    CHECK_FALSE(name.early());
    CHECK_FALSE(name.id());
  }
  const std::string contradictory = text({1, 2}).substr(3, 16) + text({1, 3}).substr(3, 46);
  CHECK_FALSE(looked_up_name{"@@", contradictory}.early());
}
