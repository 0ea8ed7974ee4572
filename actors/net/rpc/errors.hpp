#pragma once
#include <kj/exception.h>

#include "model/result.hpp"

namespace firstlight {

/// An error as it crosses a connection: an exception whose text is "errc: detail".
[[nodiscard]] kj::Exception to_kj(const error& failure);

/// The way back. A lost connection is `unavailable`, an unknown method `protocol`, other exceptions are `io`
/// with their text as detail.
[[nodiscard]] error from_kj(const kj::Exception& thrown);

}  // namespace firstlight
