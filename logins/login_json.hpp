#pragma once
#include "model/registry_login.hpp"
#include "schemas/json.hpp"

/// JSON with secrets in it. Only for the sources of this folder.
namespace firstlight::detail {

/// A member's text, wiped where it was; empty if it is missing or no text.
[[nodiscard]] inline secret_text secret_member(json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return take_secret(found->get_ref<std::string&>());
}

/// Wipes every text below.
inline void wipe_texts(json& value) {
  if (value.is_string()) wipe(value.get_ref<std::string&>());
  if (value.is_structured())
    for (auto& inner : value) wipe_texts(inner);
}

}  // namespace firstlight::detail
