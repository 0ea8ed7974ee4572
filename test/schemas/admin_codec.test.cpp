#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "schemas/admin_fields.hpp"

using namespace firstlight;

namespace {

/// Fills every field of a message with something arbitrary.
class filler {
 public:
  static constexpr bool writes = false;

  void operator()(const char*, std::string& value) { value = *rc::gen::arbitrary<std::string>(); }
  void operator()(const char*, secret_text& value) {
    value = secret_text(*rc::gen::arbitrary<std::string>());
  }
  void operator()(const char*, pull_until& value) {
    value = *rc::gen::element(pull_until::mountable, pull_until::complete, pull_until::started);
  }
  void operator()(const char*, layer_place& value) {
    value = *rc::gen::element(layer_place::automatic, layer_place::prefix, layer_place::relative,
                              layer_place::absolute);
  }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void operator()(const char*, Number& value) { value = *rc::gen::arbitrary<Number>(); }
  template <class Item>
  void operator()(const char* name, std::vector<Item>& items) {
    items.resize(*rc::gen::inRange<std::size_t>(0, 4));
    for (auto& item : items) (*this)(name, item);
  }
  template <class Struct>
  requires std::is_class_v<Struct>
  void operator()(const char*, Struct& value) { detail::fields(*this, value); }
};

template <class Variant, std::size_t... I>
std::vector<Variant> filled(std::index_sequence<I...>) {
  std::vector<Variant> all{Variant(std::in_place_index<I>)...};
  filler fill;
  for (auto& one : all) std::visit([&](auto& of) { detail::fields(fill, of); }, one);
  return all;
}

/// One message of each kind with arbitrary fields.
template <class Variant>
std::vector<Variant> one_of_each() {
  return filled<Variant>(std::make_index_sequence<std::variant_size_v<Variant>>());
}

}  // namespace

TEST_CASE("every admin request comes back from its bytes as it was") {
  CHECK(rc::check([] {
    for (const auto& request : one_of_each<admin_request>()) {
      const auto back = decode_admin_request(encode(request).bytes);
      RC_ASSERT(back.has_value());
      RC_ASSERT(*back == request);
    }
  }));
}

TEST_CASE("every admin reply comes back from its bytes as it was") {
  CHECK(rc::check([] {
    for (const auto& reply : one_of_each<admin_reply>()) {
      const auto back = decode_admin_reply(encode(reply).bytes);
      RC_ASSERT(back.has_value());
      RC_ASSERT(*back == reply);
    }
  }));
}

TEST_CASE("progress comes back from its bytes as it was") {
  const admin_progress progress{"fetching layer 2 of 5", 17, 40};
  const auto back = decode_admin_progress(encode(progress).bytes);
  REQUIRE(back.has_value());
  CHECK(*back == progress);
}

TEST_CASE("decoding an admin message survives any damage") {
  CHECK(rc::check([] {
    const auto all = one_of_each<admin_reply>();
    const auto whole = encode(all[*rc::gen::inRange<std::size_t>(0, all.size())]);
    std::vector<std::byte> damaged(whole.bytes.begin(), whole.bytes.end());
    damaged.resize(*rc::gen::inRange<std::size_t>(0, damaged.size() + 1));
    for (int flips = 0; flips < 3 && !damaged.empty(); ++flips) {
      damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] =
          static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
    }
    const auto back = decode_admin_reply(damaged);
    RC_ASSERT(back.has_value() || back.error().code == errc::corrupt);
  }));
}

TEST_CASE("a request of an unknown kind is refused with a hint at versions") {
  auto bytes = encode(admin_request(admin_image_list_request{}));
  std::vector<std::byte> changed(bytes.bytes.begin(), bytes.bytes.end());
  changed[16] = std::byte{200};  // the union's discriminant, first word of the root struct
  const auto back = decode_admin_request(changed);
  REQUIRE_FALSE(back.has_value());
  CHECK(back.error().code == errc::corrupt);
  CHECK(back.error().detail.find("same version") != std::string::npos);
}

TEST_CASE("the JSON of every reply parses, whatever its texts hold") {
  CHECK(rc::check([] {
    for (const auto& reply : one_of_each<admin_reply>()) {
      RC_ASSERT(nlohmann::json::accept(to_json(reply)));
    }
  }));
}

TEST_CASE("JSON names fields as the header does and keeps their values") {
  admin_image_list list;
  list.images.push_back({.reference = "redis:7", .compressed_bytes = 48'300'000, .last_known = true});
  list.images[0].last_error = "line\n\"quoted\" \xff\xc3\xa9";
  const auto json = nlohmann::json::parse(to_json(list));
  const auto& image = json.at("images").at(0);
  CHECK(image.at("reference") == "redis:7");
  CHECK(image.at("compressed_bytes") == 48'300'000);
  CHECK(image.at("last_known") == true);
  CHECK(image.at("last_error") == "line\n\"quoted\" \xef\xbf\xbd\xc3\xa9");
  CHECK(to_json(admin_done{}) == "{}");
}
