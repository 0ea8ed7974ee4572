#pragma once
#include <sys/un.h>

#include <filesystem>

#include "model/result.hpp"

namespace firstlight {

/// Makes it possible to bind a UNIX socket there: makes its folder (0755) if it is missing, and removes a
/// socket on which nobody listens any more, as a killed daemon leaves it. @returns its address. Errors:
/// `already_exists` when a daemon answers there or the file is no socket, `io`, `invalid_argument` (path too
/// long).
[[nodiscard]] result<sockaddr_un> free_socket_file(const std::filesystem::path& socket);

}  // namespace firstlight
