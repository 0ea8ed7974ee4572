#pragma once
#include <kj/async-io.h>

namespace firstlight {

/// Carries bytes both ways until both sides have ended, each end passed on. Loop thread only; dropping the
/// promise closes both.
[[nodiscard]] kj::Promise<void> relay_streams(kj::Own<kj::AsyncIoStream> one,
                                              kj::Own<kj::AsyncIoStream> other);

}  // namespace firstlight
