#pragma once
#include <algorithm>
#include <array>
#include <string_view>

#include "model/digest.hpp"

namespace firstlight {

/// What a complete content is called in a folder of contents: `ab/<62 digits>` for the id ab…. The node's
/// content store, the FUSE mount beside it and the EROFS images that refer to both use this one name.
class content_name {
 public:
  static constexpr std::size_t bytes = 65;

  explicit content_name(const content_id& id) {
    const auto digits = id.root.hex_digits();
    std::copy_n(digits.begin(), 2, text_.begin());
    text_[2] = '/';
    std::copy(digits.begin() + 2, digits.end(), text_.begin() + 3);
  }

  /// Lives as long as this object.
  [[nodiscard]] std::string_view view() const { return {text_.data(), text_.size()}; }
  [[nodiscard]] std::string_view folder() const { return view().substr(0, 2); }

 private:
  std::array<char, bytes> text_{};
};

}  // namespace firstlight
