#include "model/secret_text.hpp"

#include <catch2/catch.hpp>
#include <type_traits>

#include "model/registry_login.hpp"

using namespace firstlight;

template <class T>
concept printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!printable<secret_text> && !printable<registry_login>);
static_assert(!std::is_convertible_v<secret_text, std::string>);

TEST_CASE("a secret is copied, moved and compared as a value") {
  secret_text one("hidden");
  secret_text two = one;
  CHECK(two == one);
  const secret_text three = std::move(two);
  CHECK(three.view() == "hidden");
  one = secret_text("other");
  CHECK(one != three);
  CHECK(secret_text{}.empty());
  CHECK(is_empty({}));
  CHECK_FALSE(is_empty({.user = "u"}));
}

TEST_CASE("a text that is wiped leaves nothing in its memory, nor one that becomes a secret") {
  std::string text(100, 'x');
  const char* memory = text.data();
  const auto secret = take_secret(text);
  CHECK(secret.view() == std::string(100, 'x'));
  CHECK(text.empty());
  CHECK(std::string_view(memory, 100).find('x') == std::string_view::npos);
}
