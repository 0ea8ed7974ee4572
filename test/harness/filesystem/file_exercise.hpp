#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace firstlight::fstest {

/// What is done to one file, as fsx does.
enum class exercise : std::uint8_t {
  read,
  write,
  map_read,
  map_write,
  truncate,
  allocate,
  punch,
  zero,
  reopen,
  count_
};

struct exercise_step {
  exercise what = exercise::read;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< bytes; of truncate: the new size
  char fill = 0;           ///< first of the bytes written
};

/// Depends on the seed alone. No step reaches beyond `bytes_max`.
[[nodiscard]] std::vector<exercise_step> random_exercise(std::uint64_t seed, std::size_t steps,
                                                         std::uint64_t bytes_max);

/// Does the same to the bytes of a file in memory. Pure.
void apply(const exercise_step& step, std::string& model);

/// Opens the file at `path`, which is there and holds `model`, carries the steps out on it and on `model`,
/// and compares all bytes after each. A step that is refused is a difference.
/// @returns what differed first, after which step; nothing if all was equal.
[[nodiscard]] std::optional<std::string> exercise_file(const std::string& path,
                                                       const std::vector<exercise_step>& steps,
                                                       std::string model);

}  // namespace firstlight::fstest
