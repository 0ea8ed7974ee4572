#pragma once
#include "schemas/admin.hpp"

namespace firstlight {

/// Sets the level of this process. Errors: `invalid_argument`.
[[nodiscard]] result<admin_done> set_log_level(const admin_log_level& asked);

}  // namespace firstlight
