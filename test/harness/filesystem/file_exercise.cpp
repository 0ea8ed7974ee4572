#include "test/harness/filesystem/file_exercise.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include "storage/posix_file.hpp"

namespace firstlight::fstest {
namespace {

constexpr std::array names{"read",     "write", "map_read", "map_write", "truncate",
                           "allocate", "punch", "zero",     "reopen"};
static_assert(names.size() == static_cast<std::size_t>(exercise::count_));

std::string to_text(const exercise_step& step) {
  return std::string(names.at(static_cast<std::size_t>(step.what))) +
         " offset=" + std::to_string(step.offset) + " size=" + std::to_string(step.size);
}

std::string bytes_of(const exercise_step& step) {
  std::string bytes(step.size, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(step.fill + static_cast<char>(i % 251));
  return bytes;
}

/// What is mapped ends with the file: beyond it would be SIGBUS.
exercise_step within(exercise_step step, std::size_t size) {
  if (step.what != exercise::map_read && step.what != exercise::map_write) return step;
  step.offset = std::min<std::uint64_t>(step.offset, size);
  step.size = std::min<std::uint64_t>(step.size, size - step.offset);
  return step;
}

std::string read_file(int file) {
  struct stat st {};
  if (::fstat(file, &st) != 0) return "fstat fails";
  std::string bytes(static_cast<std::size_t>(st.st_size) + 1, '\0');
  const auto got = ::pread(file, bytes.data(), bytes.size(), 0);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

/// @returns 0, or errno; EILSEQ where the mapping shows other bytes than the model.
int through_map(int file, const exercise_step& step, const std::string& model) {
  if (step.size == 0) return 0;
  const auto bytes = static_cast<std::size_t>(step.offset + step.size);
  void* const map = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (map == MAP_FAILED) return errno;
  int error = 0;
  if (step.what == exercise::map_read) {
    if (std::memcmp(map, model.data(), bytes) != 0) error = EILSEQ;
  } else {
    const auto text = bytes_of(step);
    std::memcpy(static_cast<char*>(map) + step.offset, text.data(), text.size());
    if (::msync(map, bytes, MS_SYNC) != 0) error = errno;
  }
  ::munmap(map, bytes);
  return error;
}

int read_part(int file, const exercise_step& step, const std::string& model) {
  std::string bytes(step.size, '\0');
  const auto got = ::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(step.offset));
  if (got < 0) return errno;
  bytes.resize(static_cast<std::size_t>(got));
  const auto expected = step.offset < model.size() ? model.substr(step.offset, step.size) : std::string();
  return bytes == expected ? 0 : EILSEQ;
}

int change_space(int file, const exercise_step& step, int how) {
  return ::fallocate(file, how, static_cast<off_t>(step.offset), static_cast<off_t>(step.size)) == 0 ? 0
                                                                                                     : errno;
}

int carry_out(file_descriptor& file, const std::string& path, const exercise_step& step,
              const std::string& model) {
  switch (step.what) {
    case exercise::read:
      return read_part(file.get(), step, model);
    case exercise::write: {
      const auto bytes = bytes_of(step);
      const auto done = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(step.offset));
      return done < 0 ? errno : static_cast<std::size_t>(done) == bytes.size() ? 0 : EIO;
    }
    case exercise::map_read:
    case exercise::map_write:
      return through_map(file.get(), step, model);
    case exercise::truncate:
      return ::ftruncate(file.get(), static_cast<off_t>(step.size)) == 0 ? 0 : errno;
    case exercise::allocate:
      return change_space(file.get(), step, 0);
    case exercise::punch:
      return change_space(file.get(), step, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
    case exercise::zero:
      return change_space(file.get(), step, FALLOC_FL_ZERO_RANGE);
    case exercise::reopen:
      file = file_descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
      return file ? 0 : errno;
    case exercise::count_:
      break;
  }
  return EINVAL;
}

}  // namespace

std::vector<exercise_step> random_exercise(std::uint64_t seed, std::size_t steps, std::uint64_t bytes_max) {
  std::mt19937_64 random(seed);
  std::vector<exercise_step> all(steps);
  for (auto& step : all) {
    step.what = static_cast<exercise>(random() % static_cast<std::uint64_t>(exercise::count_));
    step.offset = random() % bytes_max;
    step.size = 1 + random() % std::min<std::uint64_t>(bytes_max - step.offset, 20'000);
    if (step.what == exercise::truncate) step.size = random() % bytes_max;
    step.fill = static_cast<char>(random() % 100);
  }
  return all;
}

void apply(const exercise_step& requested, std::string& model) {
  const auto step = within(requested, model.size());
  const auto end = step.offset + step.size;
  switch (step.what) {
    case exercise::write:
    case exercise::map_write:
      if (model.size() < end) model.resize(end, '\0');
      model.replace(step.offset, step.size, bytes_of(step));
      break;
    case exercise::truncate:
      model.resize(step.size, '\0');
      break;
    case exercise::allocate:
      if (model.size() < end) model.resize(end, '\0');
      break;
    case exercise::zero:
      if (model.size() < end) model.resize(end, '\0');
      model.replace(step.offset, step.size, step.size, '\0');
      break;
    case exercise::punch:
      if (step.offset < model.size()) {
        const auto size = std::min<std::uint64_t>(step.size, model.size() - step.offset);
        model.replace(step.offset, size, size, '\0');
      }
      break;
    default:
      break;
  }
}

std::optional<std::string> exercise_file(const std::string& path, const std::vector<exercise_step>& steps,
                                         std::string model) {
  file_descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return "open: " + std::string(std::strerror(errno));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto where = "step " + std::to_string(i) + ", " + to_text(steps[i]) + ": ";
    const int error = carry_out(file, path, within(steps[i], model.size()), model);
    if (error != 0) return where + std::strerror(error);
    apply(steps[i], model);
    const auto got = read_file(file.get());
    if (got == model) continue;
    const auto at = std::mismatch(got.begin(), got.end(), model.begin(), model.end()).first - got.begin();
    return where + "bytes differ at " + std::to_string(at) + "; size " + std::to_string(got.size()) +
           ", expected " + std::to_string(model.size());
  }
  return std::nullopt;
}

}  // namespace firstlight::fstest
