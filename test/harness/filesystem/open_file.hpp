#pragma once
#include "test/harness/filesystem/subject.hpp"

/// What programs do to a file that they have open.
namespace firstlight::fstest {

/// What a call of the system has returned; for a negative value errno.
[[nodiscard]] outcome ended(std::int64_t value);

/// Name of the extended attribute that an operation is about.
[[nodiscard]] std::string xattr_name(const operation& what);

/// Walks through a regular file by its data and holes. Where holes are is the file system's choice, but one
/// that is told over other bytes than zeros, or anything told behind the end, shows in the outcome.
[[nodiscard]] outcome find_holes(int file, const operation& what);

/// Sizes of the file system that do not change, and whether the others fit them.
[[nodiscard]] outcome ask_space(int file, const operation& what);

/// Whether it is a terminal.
[[nodiscard]] outcome ask_terminal(int file, const operation& what);

/// One of the actions `held_...` that are not data's.
[[nodiscard]] outcome apply_to_open(int file, const operation& what);

}  // namespace firstlight::fstest
