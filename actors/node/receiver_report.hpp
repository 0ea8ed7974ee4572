#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/messages.hpp"

namespace firstlight {

enum class delivery_phase : std::uint8_t { resolving, receiving, waiting_for_link, complete, failed };
std::string_view to_string(delivery_phase phase);

/// One delivery as the node reports it.
struct receiver_report {
  std::uint64_t delivery = 0;
  std::string reference;
  std::string platform;
  std::optional<toc_id> toc;
  delivery_phase phase = delivery_phase::resolving;
  pull_progress progress;            ///< of the hub, while resolving
  std::uint64_t bytes_received = 0;  ///< frames and TOC, as on the wire
  std::uint64_t bytes_stored = 0;    ///< unpacked and verified
  std::uint64_t bytes_total = 0;     ///< unpacked, that the delivery brings at most
  std::uint64_t rate_bytes_per_second = 0;
  std::uint32_t segments_received = 0;
  std::uint32_t segments_total = 0;
  std::uint32_t wants = 0;
  std::uint32_t verification_failures = 0;
  std::chrono::milliseconds elapsed{0};
  bool last_known = false;
  std::string problem;  ///< the last one, also of a delivery that went on
};

/// How far it is, as the command line shows it.
[[nodiscard]] admin_message progress_of(const receiver_report& report);

}  // namespace firstlight
