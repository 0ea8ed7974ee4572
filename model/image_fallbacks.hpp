#pragma once
#include <cstddef>
#include <map>
#include <string>

#include "model/instant.hpp"

namespace firstlight {

/// IMAGE FALLBACKS: the images that containerd downloads itself, by reference, with the time at which a layer
/// of each was last left to it. Of more than `images_max` the one with the earliest time goes. One thread.
class image_fallbacks {
 public:
  explicit image_fallbacks(std::size_t images_max) : images_max_(images_max) {}

  /// A layer of the image is left to containerd. @returns whether none was before, as far as is remembered
  bool note(const std::string& reference, instant now);
  /// A layer of the image is delivered: the next one that is not counts as the first again.
  void forget(const std::string& reference) { last_.erase(reference); }
  /// Whether a layer of it was left to containerd less than `span` ago.
  [[nodiscard]] bool is_recent(const std::string& reference, instant now,
                               std::chrono::milliseconds span) const;
  [[nodiscard]] std::size_t size() const { return last_.size(); }

 private:
  std::size_t images_max_;
  std::map<std::string, instant> last_;
};

}  // namespace firstlight
