#pragma once
#include <cstdint>

namespace firstlight {

/// SWEEP TURNS: who may change which contents a store has: any number of images that are being added, or one
/// sweep, never both. An image that is being added refers to contents that it has found or stored before any
/// record names them; to a sweep they would look like waste. Who merely looks whether a known image is still
/// meant by its tag does so also while a sweep runs. One thread.
class sweep_turns {
 public:
  /// An image wants to be added. @returns whether that has begun; else it asks again when the sweep has
  /// ended.
  [[nodiscard]] bool begin_addition();
  /// One that has begun has ended, however.
  void end_addition();

  /// A known image is looked at, of which nothing is added or removed: its record is written again.
  void begin_look() { ++looks_; }
  void end_look();

  /// The store has contents that nothing needs: a sweep begins when no image is being added.
  void want_sweep() { wanted_ = true; }
  /// Whether a sweep that was wanted has begun now.
  [[nodiscard]] bool begin_wanted_sweep();
  /// Whether a sweep has begun now; it does also for whoever wanted one before.
  [[nodiscard]] bool begin_sweep();
  /// The same for a sweep that begins with the removal of records: not while one may be written, which would
  /// bring it back. Whoever waits for that asks again when an addition, a look or a sweep has ended.
  [[nodiscard]] bool begin_removal();
  void end_sweep();

  [[nodiscard]] bool sweeping() const { return sweeping_; }

 private:
  std::uint32_t additions_ = 0;
  std::uint32_t looks_ = 0;
  bool sweeping_ = false;
  bool wanted_ = false;
};

}  // namespace firstlight
