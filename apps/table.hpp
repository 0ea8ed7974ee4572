#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace firstlight {

/// Rows of words with columns aligned, for people.
class table {
 public:
  explicit table(std::vector<std::string> heads) : rows_{std::move(heads)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// Each line ends with a newline and has no blanks at its end.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// The first 12 digits: enough for people.
[[nodiscard]] std::string short_digest(const std::string& digest);
/// "3 min ago"; "never" for 0.
[[nodiscard]] std::string ago(std::int64_t unix_seconds, std::int64_t now);
/// "37 %"; "100 %" only when all is there.
[[nodiscard]] std::string percent(std::uint64_t done, std::uint64_t total);
/// Seconds since the epoch.
[[nodiscard]] std::int64_t unix_now();
/// Control characters of outside texts, those of ISO 6429 beyond ASCII too, and bytes that are not UTF-8
/// become '?', so that they cannot steer the terminal; the text keeps its length in bytes.
[[nodiscard]] std::string printable(std::string text);

}  // namespace firstlight
