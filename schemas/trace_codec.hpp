#pragma once
#include "model/bytes.hpp"
#include "model/trace.hpp"
#include "model/trace_selection.hpp"

namespace firstlight {

/// A trace as bytes of schemas/trace.capnp. Equal traces give equal bytes.
/// @param sent  what the clock of its node shows now, since the epoch; 0 says nothing
[[nodiscard]] std::vector<std::byte> encode_trace(const trace& recorded, std::chrono::nanoseconds sent = {});
/// What it says is still to be checked by `check_trace`. Errors: `corrupt`.
[[nodiscard]] result<trace> decode_trace(bytes_view message);
/// What `encode_trace` was given as `sent`. Errors: `corrupt`.
[[nodiscard]] result<std::chrono::nanoseconds> decode_sent(bytes_view message);

/// All of it but the id, which is the key that it stands under.
[[nodiscard]] std::vector<std::byte> encode_stamp(const trace_stamp& stamp);
/// Errors: `corrupt`.
[[nodiscard]] result<trace_stamp> decode_stamp(const trace_id& id, bytes_view message);

}  // namespace firstlight
