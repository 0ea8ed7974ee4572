#pragma once
#include <grpcpp/support/byte_buffer.h>

#include "actors/login_messages.hpp"
#include "model/result.hpp"

namespace firstlight {

/// What a PullImageRequest of the container runtime interface says of the login to its image's registry.
/// Errors: `corrupt` for other bytes; never with a secret.
[[nodiscard]] result<remember_login> read_pull_secret(const grpc::ByteBuffer& request);

}  // namespace firstlight
