#pragma once
#include <memory>

#include "model/digest.hpp"
#include "model/result.hpp"

namespace firstlight {

/// SOLID FRAME: how many bytes one zstd frame takes of all that is added. Each byte may refer to any before
/// it: the window reaches over everything, up to 128 MiB, as with `zstd --long`. The frame itself is thrown
/// away. One thread.
class solid_frame {
 public:
  /// For exactly so many bytes. `level` is 1 to 19. Errors: `invalid_argument` for what zstd does not take.
  [[nodiscard]] static result<solid_frame> begin(std::uint64_t bytes, int level);

  /// Takes about a second for 2 MB at level 19. Errors: `invalid_argument` when more comes than was said.
  result<void> add(bytes_view bytes);
  /// @returns the bytes of the frame. Errors: `invalid_argument` when less has come than was said.
  result<std::uint64_t> finish();

 private:
  struct closer {
    void operator()(void* context) const;
  };
  explicit solid_frame(void* context) : context_(context) {}
  enum class step : std::uint8_t { more, last };
  result<void> pass(bytes_view bytes, step which);

  std::unique_ptr<void, closer> context_;  // of zstd, whose header stays out of this one
  std::uint64_t packed_ = 0;
};

}  // namespace firstlight
