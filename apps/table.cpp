#include "apps/table.hpp"

#include <algorithm>
#include <chrono>

#include "model/quantity.hpp"

namespace firstlight {

std::string table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += printable(row[i]);
      line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string short_digest(const std::string& digest) {
  return digest.substr(0, 12);
}

std::string ago(std::int64_t unix_seconds, std::int64_t now) {
  if (unix_seconds == 0) return "never";
  return rounded_duration(std::chrono::seconds(std::max<std::int64_t>(now - unix_seconds, 0))) + " ago";
}

std::string percent(std::uint64_t done, std::uint64_t total) {
  if (done >= total) return "100 %";
  const auto share = static_cast<double>(done) / static_cast<double>(total) * 100;
  return std::to_string(static_cast<int>(share)) + " %";
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      '?');
  return text;
}

}  // namespace firstlight
