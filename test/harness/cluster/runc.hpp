#pragma once
#include "test/harness/cluster/cluster.hpp"

namespace firstlight {

/// Whether runc cannot run anything on this machine: asked only when `program` has complained of cgroups or
/// of the root's mount, and answered by running a plain folder without Firstlight. Says so as skipped then.
[[nodiscard]] bool runc_is_hindered(cluster& all, const running_program& program);

}  // namespace firstlight
