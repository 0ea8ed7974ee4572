#include "schemas/json.hpp"

namespace firstlight::detail {
namespace {

// A parser's depth is bounded here, not by the stack: nested containers are destroyed recursively.
constexpr int depth_max = 64;

}  // namespace

result<json> parse_json_object(std::string_view text, std::string_view what) {
  bool too_deep = false;
  const json::parser_callback_t guard = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > depth_max;
    return !too_deep;
  };
  json parsed = json::parse(text, guard, /*allow_exceptions=*/false);
  if (too_deep) return fail(errc::corrupt, std::string(what) + " is nested too deeply");
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
