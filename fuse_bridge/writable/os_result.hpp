#pragma once
#include <cerrno>
#include <tl/expected.hpp>

namespace firstlight {

/// What a file system operation gives: a value, or the errno(3) that the kernel is to pass on.
template <class T>
using os_result = tl::expected<T, int>;

[[nodiscard]] inline tl::unexpected<int> refuse(int error_number) {
  return tl::unexpected<int>(error_number);
}
/// What a system call has just returned: 0, or its errno counts.
[[nodiscard]] inline os_result<void> outcome_of(int status) {
  if (status != 0) return tl::unexpected<int>(errno);
  return {};
}
/// For a system call that has just failed.
[[nodiscard]] inline tl::unexpected<int> refuse_as_system() {
  return tl::unexpected<int>(errno);
}

}  // namespace firstlight
