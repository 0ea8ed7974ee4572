#pragma once
#include <array>
#include <cstdint>

#include "model/digest.hpp"

/// What goes over the admin socket of a daemon: frames, each a head and a body. The command line sends one
/// `request`; the daemon answers it with any number of `progress` and then one `reply` or `failure`. Only
/// then may the next request come.
namespace firstlight {

enum class admin_frame_kind : std::uint8_t {
  request = 1,   ///< body: AdminRequest of admin.capnp
  progress = 2,  ///< body: Progress
  reply = 3,     ///< body: AdminReply
  failure = 4,   ///< body: the detail of an error as text
};

struct admin_frame_head {
  admin_frame_kind kind = admin_frame_kind::request;
  errc code = errc::io;  ///< of a failure; of other kinds without meaning
  std::uint32_t body_bytes = 0;
  friend bool operator==(const admin_frame_head&, const admin_frame_head&) = default;
};

/// "FLA1", kind, code, two zeros, size of the body; numbers are little-endian.
using admin_frame_head_bytes = std::array<std::byte, 12>;

[[nodiscard]] admin_frame_head_bytes encode(const admin_frame_head& head);

/// Errors: `protocol` for what is no such head, `limit_exceeded` for a larger body.
[[nodiscard]] result<admin_frame_head> decode_admin_frame_head(const admin_frame_head_bytes& bytes,
                                                               std::uint32_t body_bytes_max);

}  // namespace firstlight
