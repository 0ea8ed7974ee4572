#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/digest.hpp"

namespace firstlight::detail {

using json = nlohmann::json;

/// Parses JSON without exceptions; nothing but an object is accepted. Errors: `corrupt`, naming `what`.
[[nodiscard]] result<json> parse_json_object(std::string_view text, std::string_view what);

/// A member's text; "" if it is missing, null or no text.
[[nodiscard]] std::string text_member(const json& object, const char* name);

/// A member, or null if `object` is no object or has no such member.
[[nodiscard]] const json& member(const json& object, const char* name);

/// The texts of an array member; empty if it is missing or null. Errors: `corrupt` for anything else.
[[nodiscard]] result<std::vector<std::string>> texts_member(const json& object, const char* name);

}  // namespace firstlight::detail
