#pragma once
#include <chrono>

#include "model/credit.hpp"
#include "model/delivery.hpp"
#include "model/start_offsets.hpp"
#include "model/static_order.hpp"
#include "model/warmup.hpp"

namespace firstlight {

/// Limits of deliveries that run at once in a session.
struct joint_limits {
  start_offset_limits starts;
  std::uint32_t completed_kept_max = 16;  ///< deliveries that are remembered after their end
};

/// What starts are expected to read is packed anew, smaller, while nobody waits for it.
struct dense_limits {
  std::chrono::milliseconds after{5'000};            ///< an image's order has stayed as it is for so long
  std::chrono::milliseconds after_at_most{300'000};  ///< of an image whose order changes all the time
  std::uint64_t bytes_max = 64U << 20U;              ///< unpacked, of one image: what is read first
};

/// Limits of planning and delivering on the hub; each struct documents its fields.
struct hub_plan_limits {
  plan_limits cut;
  patch_limits patch;
  delivery_limits delivery;
  credit_limits credit;
  warmup_limits warmup;
  joint_limits joint;
  static_order_limits guess;
  dense_limits dense;
};

}  // namespace firstlight
