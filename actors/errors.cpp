#include "actors/errors.hpp"

namespace firstlight {

error from_caf(const caf::error& failure) {
  if (failure.category() == caf::atom("firstlight")) {
    error back{static_cast<errc>(failure.code()), {}};
    if (failure.context().match_elements<std::string>())
      back.detail = failure.context().get_as<std::string>(0);
    return back;
  }
  if (failure == caf::sec::request_timeout) return {errc::timed_out, "no answer in time"};
  if (failure == caf::sec::request_receiver_down || failure.category() == caf::atom("exit"))
    return {errc::unavailable, "the one asked has ended"};
  return {errc::io, "internal: code " + std::to_string(failure.code())};
}

}  // namespace firstlight
