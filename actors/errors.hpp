#pragma once
#include <caf/all.hpp>

#include "model/result.hpp"

CAF_ERROR_CODE_ENUM(firstlight::errc, "firstlight")

namespace firstlight {

/// An error as CAF carries it: the code, and the detail as its context.
inline caf::error to_caf(const error& failure) {
  return caf::make_error(failure.code, failure.detail);
}

/// The way back. CAF's own errors become `timed_out` (request timeout), `unavailable` (the actor is
/// gone) or `io`, with CAF's text as detail.
[[nodiscard]] error from_caf(const caf::error& failure);

}  // namespace firstlight
