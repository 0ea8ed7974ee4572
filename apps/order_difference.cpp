#include "apps/order_difference.hpp"

#include <map>
#include <nlohmann/json.hpp>

#include "apps/table.hpp"

namespace firstlight {
namespace {

using places = std::map<std::string, std::size_t>;

/// Where each file stands first among those that a start is expected to read.
places places_of(const admin_trace_detail& detail) {
  places found;
  for (const auto& run : detail.order)
    if (run.expected) found.try_emplace(run.path, found.size());
  return found;
}

/// Files of `these` that `others` lack.
std::vector<order_difference::file> only_in(const places& these, const places& others) {
  std::vector<order_difference::file> files;
  for (const auto& [path, place] : these)
    if (!others.contains(path)) files.push_back({path, place});
  return files;
}

nlohmann::ordered_json listed(const std::vector<order_difference::file>& files) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& file : files)
    list.push_back(nlohmann::ordered_json{{"path", file.path}, {"place", file.place}});
  return list;
}

}  // namespace

order_difference compare_orders(const admin_trace_detail& before, const admin_trace_detail& after) {
  const auto old_places = places_of(before);
  const auto new_places = places_of(after);
  order_difference difference{only_in(old_places, new_places), only_in(new_places, old_places), 0};
  difference.same = new_places.size() - difference.added.size();
  return difference;
}

std::string to_text(const order_difference& difference) {
  table rows({"", "FILE", "PLACE BEFORE", "PLACE NOW"});
  for (const auto& file : difference.removed) rows.add({"-", file.path, std::to_string(file.place), ""});
  for (const auto& file : difference.added) rows.add({"+", file.path, "", std::to_string(file.place)});
  return rows.text() + std::to_string(difference.same) + " files are expected of both\n";
}

std::string to_json(const order_difference& difference) {
  const nlohmann::ordered_json said{{"removed", listed(difference.removed)},
                                    {"added", listed(difference.added)},
                                    {"same", difference.same}};
  return said.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace firstlight
