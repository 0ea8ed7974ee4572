#pragma once
#include <caf/allowed_unsafe_message_type.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "model/transfer.hpp"
#include "schemas/toc.hpp"

/// The named messages between actors. They never leave the process through CAF, so CAF needs no
/// serialization of them; what crosses a machine boundary is Cap'n Proto (schemas/).
namespace firstlight {

// ---- between the two ends of a link ---------------------------------------------------------

/// The answer to a segment or a TOC. `failure` is empty when it was verified and stored.
struct verdict {
  std::optional<error> failure;
};

struct incoming_toc {
  std::uint64_t delivery = 0;
  toc_frame toc;
};
struct incoming_segment {
  std::uint64_t delivery = 0;
  segment data;
};
struct incoming_landmark {
  std::uint64_t delivery = 0;
  landmark mark = landmark::guessed;
};
struct incoming_progress {
  std::uint64_t delivery = 0;
  pull_progress progress;
};

enum class link_state : std::uint8_t { down, connecting, up };

/// Sent by a link to everybody who uses it.
struct link_changed {
  link_state now = link_state::down;
  std::string why;  ///< one line; empty when up
};

struct link_status {
  link_state state = link_state::down;
  std::string peer;        ///< name in the peer's certificate, empty before the first join
  std::string address;     ///< host:port
  std::string last_error;  ///< of the last failed attempt
  std::uint32_t reconnects = 0;
  std::uint64_t bytes_received = 0;  ///< of frames, TOCs and padding
  std::uint64_t padding_bytes = 0;
  std::uint32_t bulk_connections = 0;
  std::string congestion_control;  ///< of the hub's bulk sockets, as its kernel calls it
  std::chrono::microseconds round_trip{0};
};

// ---- hub: what a node session asks of its link ------------------------------------------------

struct outgoing_toc {
  std::uint64_t delivery = 0;
  toc_frame toc;
};
struct outgoing_segment {
  std::uint64_t delivery = 0;
  segment data;
};
struct outgoing_landmark {
  std::uint64_t delivery = 0;
  landmark mark = landmark::guessed;
};
struct outgoing_padding {
  std::uint32_t bytes = 0;
};
/// How fast all bulk connections together may send from now on.
struct outgoing_pace {
  std::optional<double> bytes_per_second;  ///< none: as fast as the congestion control likes
};
/// A transfer has been answered by the far side. `elapsed` counts from handing it to the link.
struct delivered {
  verdict answer;
  std::chrono::microseconds elapsed{0};
  std::chrono::microseconds round_trip{
      0};  ///< of the connection it went over, smoothed, as the kernel measured it
  double bandwidth =
      0;  ///< of that connection, bytes per second; 0 when its congestion control does not know
};
struct bulk_attached {
  std::uint32_t connections = 0;            ///< attached so far
  std::chrono::microseconds round_trip{0};  ///< smoothed, as the kernel measured it
  std::string congestion_control;
};
struct cancel_delivery {
  std::uint64_t delivery = 0;
};

// ---- the outside: admin calls over the UNIX socket --------------------------------------------

/// One encoded request or reply of schemas/admin.capnp.
struct admin_message {
  shared_bytes bytes;
};
/// The same, as a client has sent it.
struct console_request {
  shared_bytes bytes;
};

// ---- node: between receiver and file-system instances ------------------------------------------

/// The contents of the image's TOC have become known: until then no block of it can be looked up.
struct contents_known {};
/// These blocks have been verified and stored.
struct blocks_ready {
  std::shared_ptr<const std::vector<block_run>> runs;
  bool out_of_turn = false;  ///< a want brought them forward
};
/// All of the image is there.
struct image_complete {};
/// These blocks will not come: readers get EIO, `why` goes to `status`. No runs: nothing more comes at all.
struct blocks_failed {
  std::vector<block_run> runs;
  error why;
};
/// A reader waits: bring these out of turn.
struct want_blocks {
  std::vector<block_run> runs;
};

}  // namespace firstlight

#define FIRSTLIGHT_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::type)
FIRSTLIGHT_LOCAL_MESSAGE(verdict)
FIRSTLIGHT_LOCAL_MESSAGE(incoming_toc)
FIRSTLIGHT_LOCAL_MESSAGE(incoming_segment)
FIRSTLIGHT_LOCAL_MESSAGE(incoming_landmark)
FIRSTLIGHT_LOCAL_MESSAGE(incoming_progress)
FIRSTLIGHT_LOCAL_MESSAGE(link_changed)
FIRSTLIGHT_LOCAL_MESSAGE(link_status)
FIRSTLIGHT_LOCAL_MESSAGE(outgoing_toc)
FIRSTLIGHT_LOCAL_MESSAGE(outgoing_segment)
FIRSTLIGHT_LOCAL_MESSAGE(outgoing_landmark)
FIRSTLIGHT_LOCAL_MESSAGE(outgoing_padding)
FIRSTLIGHT_LOCAL_MESSAGE(outgoing_pace)
FIRSTLIGHT_LOCAL_MESSAGE(delivered)
FIRSTLIGHT_LOCAL_MESSAGE(bulk_attached)
FIRSTLIGHT_LOCAL_MESSAGE(cancel_delivery)
FIRSTLIGHT_LOCAL_MESSAGE(admin_message)
FIRSTLIGHT_LOCAL_MESSAGE(console_request)
FIRSTLIGHT_LOCAL_MESSAGE(contents_known)
FIRSTLIGHT_LOCAL_MESSAGE(blocks_ready)
FIRSTLIGHT_LOCAL_MESSAGE(image_complete)
FIRSTLIGHT_LOCAL_MESSAGE(blocks_failed)
FIRSTLIGHT_LOCAL_MESSAGE(want_blocks)
FIRSTLIGHT_LOCAL_MESSAGE(want)
FIRSTLIGHT_LOCAL_MESSAGE(part_received)
FIRSTLIGHT_LOCAL_MESSAGE(pull_request)
FIRSTLIGHT_LOCAL_MESSAGE(pull_started)
FIRSTLIGHT_LOCAL_MESSAGE(pull_progress)
FIRSTLIGHT_LOCAL_MESSAGE(error)
