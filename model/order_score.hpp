#pragma once
#include <array>
#include <span>

#include "model/delivery.hpp"
#include "model/learned_order.hpp"

/// HOW GOOD IS AN ORDER: replays a recorded start against it over a modelled link.
namespace firstlight {

/// A link and what travels over it. All values are positive.
struct modelled_link {
  std::chrono::nanoseconds round_trip{std::chrono::milliseconds(100)};
  double bytes_per_second = 12.5e6;
  double packed_share = 0.4;  ///< compressed bytes per byte
  delivery_limits hub{};      ///< what is sent because of a want is as the hub sends it
};

/// One first access of blocks, as it went.
struct replayed_access {
  block_run run;
  std::chrono::nanoseconds asked{0};  ///< since the first byte of the stream could have arrived
  std::chrono::nanoseconds wait{0};
  bool missed = false;                  ///< asked for out of turn
  std::chrono::nanoseconds arrived{0};  ///< when its last byte came: if it had to wait, at the end of that
};

/// Shares of the stream, in percent of its bytes, at which `order_score::recall` is taken.
inline constexpr std::array<std::uint32_t, 7> recall_percents{1, 2, 5, 10, 20, 50, 100};

struct order_score {
  std::chrono::nanoseconds stall{0};  ///< the sum of what the program waited
  std::chrono::nanoseconds end{0};    ///< of the last access
  std::uint32_t misses = 0;           ///< times that something was asked for out of turn
  std::uint64_t touched_bytes = 0;    ///< unpacked, of all blocks that were read
  std::uint64_t sent_bytes = 0;       ///< unpacked, in the order before the last block that was read
  std::array<double, recall_percents.size()> recall{};  ///< share of what was read that had been sent
  std::vector<replayed_access> accesses;
};

/// Replays `start` (its own waits are taken out) against an order. The program starts when the first byte of
/// the stream could arrive; what the order does not name follows by content number. Pure.
[[nodiscard]] order_score score_order(const observed_start& start, const content_order& order,
                                      std::span<const content_info> contents, block_geometry geometry,
                                      const modelled_link& link = {});

/// How many leading segments of a plan hold all of what `start` reads. Pure.
[[nodiscard]] std::size_t segments_until_read(const bundle_plan& plan, const observed_start& start,
                                              std::span<const content_info> contents,
                                              block_geometry geometry);

/// The best order for one start: its own.
[[nodiscard]] content_order oracle_order(const observed_start& start);

}  // namespace firstlight
