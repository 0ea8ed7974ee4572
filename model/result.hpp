#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace firstlight {

/// Why something failed, for programs. Append-only: codes are stored and sent.
enum class errc : std::uint8_t {
  invalid_argument = 1,      ///< the caller's input is malformed; the detail says how
  not_found = 2,             ///< no such image, content, mount, file
  already_exists = 3,        ///< the name is taken
  corrupt = 4,               ///< bytes do not match their digest, or a message does not decode
  io = 5,                    ///< the operating system refused; the detail carries its reason
  no_space = 6,              ///< disk or the configured disk limit is full
  unavailable = 7,           ///< the peer, registry or daemon cannot be reached now
  timed_out = 8,             ///< a configured limit of time passed
  denied = 9,                ///< authentication or authorisation failed
  unsupported = 10,          ///< valid, but not something this version can do
  limit_exceeded = 11,       ///< a named limit of config/ was hit; the detail names it
  busy = 12,                 ///< a queue is full or the thing is in use; try again
  cancelled = 13,            ///< the one who waited went away, or the daemon is stopping
  protocol = 14,             ///< the peer speaks another version or breaks the rules
  not_ready = 15,            ///< the bytes have not arrived yet
  failed_precondition = 16,  ///< the thing is in a state that does not allow it; the detail says which
};

/// The stable lower-case name of a code, e.g. "not_found".
std::string_view to_string(errc code);

/// A code for programs and one line for people: which path, which digest, what to do.
struct error {
  errc code = errc::io;
  std::string detail;
  friend bool operator==(const error&, const error&) = default;
};

/// "not_found: image redis:7 is not known; add it with 'firstlight image add'"
std::string to_string(const error& failure);

template <class T>
using result = tl::expected<T, error>;

/// `return fail(errc::not_found, "layer " + name);`
inline tl::unexpected<error> fail(errc code, std::string detail) {
  return tl::unexpected<error>(error{code, std::move(detail)});
}

/// Hands an error on, with what was being done in front of its detail.
inline tl::unexpected<error> fail(const error& cause, std::string_view context) {
  return tl::unexpected<error>(error{cause.code, std::string(context) + ": " + cause.detail});
}

}  // namespace firstlight
