#include "model/unreadable_record.hpp"

#include <algorithm>

namespace firstlight {
namespace {

std::string shown(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char byte) { return byte < ' ' || byte >= 0x7f; }, '?');
  return text;
}

}  // namespace

std::string tell_unreadable(const std::vector<unreadable_record>& records, std::string_view what,
                            std::string_view advice) {
  if (records.empty()) return {};
  const auto& first = records.front();
  return shown(std::to_string(records.size()) + " of " + std::string(what) + " cannot be read (" +
               first.name + ": " + first.why + (records.size() > 1 ? ", ...): " : "): ") +
               std::string(advice));
}

std::string tell_to_forget(const std::vector<unreadable_record>& records, std::string_view command) {
  return std::string("; to forget ") + (records.size() > 1 ? "the first" : "it") + ": " +
         std::string(command);
}

const unreadable_record* find_unreadable(const std::vector<unreadable_record>& records,
                                         std::string_view name) {
  auto found =
      std::find_if(records.begin(), records.end(), [&](const auto& one) { return one.name == name; });
  if (found == records.end())
    found = std::find_if(records.begin(), records.end(),
                         [&](const auto& one) { return shown(one.name) == name; });
  return found == records.end() ? nullptr : &*found;
}

}  // namespace firstlight
