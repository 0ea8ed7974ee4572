#pragma once
#include "apps/daemon_actions.hpp"

namespace firstlight {

/// What `firstlight pki` does; prints what was made. Errors: those of storage/pki.
[[nodiscard]] result<int> init_pki(const pki_init_arguments& in);
[[nodiscard]] result<int> issue_pki_certificate(const pki_issue_arguments& in);

}  // namespace firstlight
