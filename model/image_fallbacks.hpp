#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "model/instant.hpp"

namespace firstlight {

/// IMAGE FALLBACKS: the images that containerd downloads itself, by reference, with the layer of each that
/// was last left to it, and when. Of more than `images_max` the one with the earliest time goes. One thread.
class image_fallbacks {
 public:
  explicit image_fallbacks(std::size_t images_max) : images_max_(images_max) {}

  /// A layer of the image, which `layer` names, is left to containerd.
  void note(const std::string& reference, const std::string& layer, instant now);
  /// A layer of the image is delivered.
  void forget(const std::string& reference) { last_.erase(reference); }
  /// The layer of it that was last left to containerd, if that was less than `span` ago and no layer has been
  /// delivered since. A download goes on with the layer above this one; with any other a new one begins.
  [[nodiscard]] std::optional<std::string> last_layer(const std::string& reference, instant now,
                                                      std::chrono::milliseconds span) const;
  [[nodiscard]] std::size_t size() const { return last_.size(); }

 private:
  struct left_layer {
    std::string name;
    instant when{};
  };
  std::size_t images_max_;
  std::map<std::string, left_layer> last_;
};

}  // namespace firstlight
