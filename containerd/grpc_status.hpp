#pragma once
#include <grpcpp/support/status.h>

#include "model/result.hpp"

namespace firstlight {

/// The status by which containerd understands an error, with its detail as message.
[[nodiscard]] grpc::Status to_grpc(const error& failure);

/// The way back. Not for a status that is ok.
[[nodiscard]] error from_grpc(const grpc::Status& status);

}  // namespace firstlight
