#include "model/name_shape.hpp"

namespace firstlight {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string without_versions(std::string_view text) {
  std::string shape;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool inside = !shape.empty() && shape.back() == '#';
    const bool joins = text[i] == '.' && inside && i + 1 < text.size() && is_digit(text[i + 1]);
    if (joins || (is_digit(text[i]) && inside)) continue;
    shape += is_digit(text[i]) ? '#' : text[i];
  }
  return shape;
}

std::string with_plain_name(std::string_view path) {
  const auto name = path.size() - base_name(path).size();
  return std::string(path.substr(0, name)) + without_versions(path.substr(name));
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace firstlight
