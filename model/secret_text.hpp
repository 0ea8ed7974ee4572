#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

/// A text that nobody may see: a password, a token. It cannot be printed, and its memory is overwritten when
/// it goes away. What a library makes of it on its way (JSON, TLS) is beyond that.
class secret_text {
 public:
  secret_text() = default;
  /// Copies; who gives it wipes its own.
  explicit secret_text(std::string_view text) : bytes_(text.begin(), text.end()) {}
  secret_text(const secret_text&) = default;
  secret_text(secret_text&& other) noexcept = default;
  secret_text& operator=(const secret_text& other);
  secret_text& operator=(secret_text&& other) noexcept;
  ~secret_text();

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  /// Valid as long as this is. Not for logs, errors or reports.
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

  friend bool operator==(const secret_text&, const secret_text&) = default;

 private:
  std::vector<char> bytes_;
};

/// Overwrites the text's memory and empties it.
void wipe(std::string& text);

/// Takes the text over and wipes where it was.
[[nodiscard]] secret_text take_secret(std::string& text);

}  // namespace firstlight
