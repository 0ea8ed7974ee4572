#include "config/bindings.hpp"

namespace firstlight::detail {
namespace {

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma != 0) items.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

std::string join_list(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

template <class Member, class Parsed>
result<void> assign(Member& member, Parsed parsed) {
  if (!parsed) return tl::unexpected(parsed.error());
  member = *parsed;
  return {};
}

}  // namespace

void binder::bind(const char* name, std::string& member, const char* doc) {
  add({name, "text", doc, [&member] { return member; },
       [&member](std::string_view text) -> result<void> { return member = text, result<void>(); }});
}

void binder::bind(const char* name, std::filesystem::path& member, const char* doc) {
  add({name, "path", doc, [&member] { return member.string(); },
       [&member](std::string_view text) -> result<void> { return member = text, result<void>(); }});
}

void binder::bind(const char* name, std::vector<std::string>& member, const char* doc) {
  add({name, "list", doc, [&member] { return join_list(member); },
       [&member](std::string_view text) -> result<void> {
         return member = split_list(text), result<void>();
       }});
}

void binder::bind(const char* name, std::chrono::milliseconds& member, const char* doc) {
  add({name, "duration", doc, [&member] { return format_duration(member); },
       [&member](std::string_view text) { return assign(member, parse_duration(text)); }});
}

void binder::bind(const char* name, bool& member, const char* doc) {
  add({name, "switch", doc, [&member] { return std::string(member ? "true" : "false"); },
       [&member](std::string_view text) -> result<void> {
         if (text != "true" && text != "false") {
           return fail(errc::invalid_argument, "'" + std::string(text) + "' is neither true nor false");
         }
         member = text == "true";
         return {};
       }});
}

}  // namespace firstlight::detail
