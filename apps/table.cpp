#include "apps/table.hpp"

#include <algorithm>
#include <chrono>

#include "model/quantity.hpp"
#include "model/utf8.hpp"

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
  const auto code = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  for (std::size_t at = 0; at < text.size();) {
    const auto length = utf8_sequence_bytes(std::string_view(text).substr(at));
    const bool control = length == 1 ? code(at) < 0x20 || code(at) == 0x7f
                                     : length == 2 && code(at) == 0xc2 && code(at + 1) < 0xa0;
    const auto bytes = std::max<std::size_t>(length, 1);
    if (control || length == 0) std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), bytes, '?');
    at += bytes;
  }
  return text;
}

}  // namespace firstlight
