#include "schemas/json.hpp"

namespace firstlight::detail {
namespace {

// A parser's depth is bounded here, not by the stack: nested containers are destroyed recursively.
constexpr int depth_max = 64;

/// Whether arrays and objects nest deeper than that. Said by the text itself: a callback of the parser would
/// cost time in the square of an array's length, since the parser then looks through all of the array after
/// each object.
bool nests_too_deeply(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > depth_max) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

result<json> parse_json_object(std::string_view text, std::string_view what) {
  if (nests_too_deeply(text)) return fail(errc::corrupt, std::string(what) + " is nested too deeply");
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return fail(errc::corrupt, std::string(what) + " is no JSON object");
  return parsed;
}

const json& member(const json& object, const char* name) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

std::string text_member(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

result<std::vector<std::string>> texts_member(const json& object, const char* name) {
  const json& value = member(object, name);
  std::vector<std::string> texts;
  if (value.is_null()) return texts;
  if (!value.is_array()) return fail(errc::corrupt, std::string(name) + " is no array");
  for (const json& item : value) {
    if (!item.is_string()) return fail(errc::corrupt, std::string(name) + " holds something that is no text");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

}  // namespace firstlight::detail
