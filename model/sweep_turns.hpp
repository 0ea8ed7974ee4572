#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "model/instant.hpp"

namespace firstlight {

/// Limits of `sweep_turns`.
struct turn_limits {
  std::uint32_t additions_max = 1;             ///< images that are added at once; at least 1
  std::chrono::milliseconds patience{60'000};  ///< of a removal, until additions are held back
  std::chrono::milliseconds hold{30'000};      ///< for so long at most
};

/// By what one is known that waits for its turn; the later it has asked, the higher.
using turn_number = std::uint64_t;

/// What begins now, to be carried out at once.
struct begun_turns {
  std::vector<turn_number> additions;  ///< in the order in which they have asked
  std::vector<turn_number> removals;   ///< likewise; their records go, then a sweep runs
  bool sweep = false;                  ///< a sweep has begun, of these removals or of none
  bool wanted = false;                 ///< it is wanted whether or not any of the removals comes off
};

/// What a removal has waited for.
enum class removal_delay : std::uint8_t {
  sweep,      ///< for the end of the sweep that ran when it came, and for nothing else
  additions,  ///< for images that were being added
};

/// What an image that is to be added waits for.
enum class addition_delay : std::uint8_t {
  others,   ///< until one of those that are being added is done
  removal,  ///< it is held back so that an image can be removed
  sweep,    ///< until a sweep has ended
};

/// SWEEP TURNS: who may change which contents a store has: some images that are being added, or one sweep,
/// never both. An image that is being added refers to contents that it has found or stored before any record
/// names them; to a sweep they would look like waste. One thread; time comes in from outside.
///
/// All stand in one line, as they have come. An addition begins when one of `additions_max` places is free. A
/// removal, and likewise a sweep that is wanted, begins when nothing is being added; with it begin those that
/// stand right behind it, and one sweep does for all of them.
///
/// A removal at the head of the line lets additions pass: containers wait for these, and nobody for the room
/// that it makes. Else one long addition and one removal behind it would stop all that come later. Nor may
/// additions without end keep a removal waiting: when it has waited for `patience`, those behind it are held
/// back. What is being added goes on. If that ends within `hold` the removal begins; if not, those behind it
/// begin, and it has the next hold when `patience` has passed once more. So a removal waits in vain only for
/// additions that are longer than `hold`, and an addition waits for removals, however many these are, no
/// longer than for `hold` or the sweep that runs, and one more sweep: with none of them begin removals that
/// have come after an addition that waits.
///
/// A sweep that is wanted holds additions back like a removal: what has no room leaves it, and until it has
/// gone there is no room for new images either.
class sweep_turns {
 public:
  explicit sweep_turns(const turn_limits& limits = {}) : limits_(limits) {}

  // After each of these, `next` says what begins.

  /// An image wants to be added, or one to be removed.
  [[nodiscard]] turn_number ask_addition();
  [[nodiscard]] turn_number ask_removal(instant now);
  /// The store has contents that nothing needs.
  void want_sweep(instant now);
  /// A removal does not wait any more. @returns what it has waited for; nothing if it has begun or is not
  /// known
  std::optional<removal_delay> give_up(turn_number removal);
  /// One that has begun has ended, however.
  void end_addition();
  void end_sweep();

  /// Takes those out of the line that begin now. @returns nothing if none does; else to be called once more
  /// when they have begun
  [[nodiscard]] std::optional<begun_turns> next(instant now);
  /// When `next` is to be called though nobody came and nothing ended; to be asked when that has returned
  /// nothing.
  [[nodiscard]] std::optional<instant> next_change() const;
  /// Of all additions that wait; to be asked then too.
  [[nodiscard]] addition_delay additions_wait_for() const;

 private:
  enum class kind : std::uint8_t { addition, removal, sweep };
  struct waiting {
    turn_number number = 0;
    kind what = kind::addition;
    instant since{};
    bool met_additions = false;  ///< some were being added while it waited
  };

  turn_number join(kind what, instant now);
  [[nodiscard]] bool removal_leads() const;
  [[nodiscard]] instant hold_due() const;
  void update_hold(instant now);
  void begin_additions(begun_turns& begun);
  void begin_sweep(begun_turns& begun, instant now);

  turn_limits limits_;
  std::deque<waiting> line_;
  turn_number asked_ = 0;
  std::uint32_t additions_ = 0;
  bool sweeping_ = false;
  std::optional<instant> held_since_;
  std::optional<instant> hold_ended_;  ///< the latest one
};

}  // namespace firstlight
