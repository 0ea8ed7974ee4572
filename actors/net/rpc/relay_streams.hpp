#pragma once
#include <kj/async-io.h>

namespace firstlight {

/// Carries bytes both ways until the side that asks has ended, or either has gone away without a word; then
/// closes both: what it still waits for nobody hears. The end of the side that answers is passed on. Loop
/// thread only; dropping the promise closes both.
[[nodiscard]] kj::Promise<void> relay_streams(kj::Own<kj::AsyncIoStream> asking,
                                              kj::Own<kj::AsyncIoStream> answering);

}  // namespace firstlight
