#pragma once
#include "model/result.hpp"

namespace firstlight {

/// Writes out what has been printed. @returns whether all that was ever printed has been written: if not,
/// printing more is in vain
[[nodiscard]] bool write_out();

/// The same at the end of a command. Errors: `io`, unless just nobody reads any more, as behind `| head`.
[[nodiscard]] result<void> finish_output();

}  // namespace firstlight
