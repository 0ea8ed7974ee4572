#include "model/result.hpp"

namespace firstlight {

std::string_view to_string(errc code) {
  switch (code) {
    case errc::invalid_argument:
      return "invalid_argument";
    case errc::not_found:
      return "not_found";
    case errc::already_exists:
      return "already_exists";
    case errc::corrupt:
      return "corrupt";
    case errc::io:
      return "io";
    case errc::no_space:
      return "no_space";
    case errc::unavailable:
      return "unavailable";
    case errc::timed_out:
      return "timed_out";
    case errc::denied:
      return "denied";
    case errc::unsupported:
      return "unsupported";
    case errc::limit_exceeded:
      return "limit_exceeded";
    case errc::busy:
      return "busy";
    case errc::cancelled:
      return "cancelled";
    case errc::protocol:
      return "protocol";
    case errc::not_ready:
      return "not_ready";
    case errc::failed_precondition:
      return "failed_precondition";
  }
  return "unknown";
}

std::string to_string(const error& failure) {
  return std::string(to_string(failure.code)) + ": " + failure.detail;
}

}  // namespace firstlight
