#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "model/instant.hpp"
#include "model/store_room.hpp"

namespace firstlight {

/// How a hub remembers images for which its store has no room.
struct room_refusal_limits {
  std::chrono::milliseconds remembered_for{300'000};  ///< then such an image is fetched again; 0: at once
  std::uint32_t images_max = 1024;                    ///< of more the one refused longest ago is forgotten
};

/// ROOM REFUSALS: images for which a store had no room, so that they are not fetched in vain each time that
/// somebody asks. Each is known with a number of bytes that it surely brings, for as long as the store has no
/// room for those: whatever makes room (a removal, a higher limit) makes them forgotten at once. That number
/// may become too large when another image is added that has the same files; therefore the time. One thread.
class room_refusals {
 public:
  explicit room_refusals(const room_refusal_limits& limits = {}) : limits_(limits) {}

  /// An image was refused now. `asked` says how it was asked for: reference and platform.
  void note(const std::string& asked, const room_need& need, instant now);

  /// What was refused when it was asked for so, if there is still no room for it. The reference may mean
  /// another image by now: whoever asks compares that.
  [[nodiscard]] std::optional<room_need> find(const std::string& asked, const store_room& room, instant now);

  [[nodiscard]] std::size_t size() const { return refused_.size(); }

 private:
  struct refusal {
    room_need need;
    instant when{};
  };
  room_refusal_limits limits_;
  std::map<std::string, refusal> refused_;
};

}  // namespace firstlight
