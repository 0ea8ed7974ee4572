#include "model/unreadable_record.hpp"

#include <algorithm>

namespace firstlight {

std::string tell_unreadable(const std::vector<unreadable_record>& records, std::string_view what,
                            std::string_view advice) {
  if (records.empty()) return {};
  const auto& first = records.front();
  auto line = std::to_string(records.size()) + " of " + std::string(what) + " cannot be read (" + first.name +
              ": " + first.why + (records.size() > 1 ? ", ...): " : "): ") + std::string(advice);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char byte) { return byte < ' ' || byte >= 0x7f; }, '?');
  return line;
}

}  // namespace firstlight
