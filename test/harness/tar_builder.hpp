#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace firstlight {

/// One header block to write, field by field: also such as no good tar has.
struct raw_header {
  std::string name;
  char type = '0';
  std::uint32_t mode = 0644;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 1'600'000'000;
  std::string link_name;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  bool gnu = false;    ///< GNU's magic instead of ustar's
  std::string at_345;  ///< raw bytes from offset 345: ustar's prefix, GNU's times and sparse map
};

/// Writes tars byte by byte. Every call adds entries; `take` ends the archive.
class tar_builder {
 public:
  tar_builder& header(const raw_header& fields);
  tar_builder& raw(const std::string& bytes);  ///< padded to whole blocks
  tar_builder& file(std::string name, const std::string& text, std::uint32_t mode = 0644);
  tar_builder& folder(std::string name, std::uint32_t mode = 0755, std::int64_t modified = 1'500'000'000);
  tar_builder& symlink(std::string name, std::string target);
  tar_builder& hard_link(std::string name, std::string target);
  tar_builder& device(std::string name, char type, std::uint32_t major, std::uint32_t minor);
  /// Records for the next entry.
  tar_builder& pax(const std::vector<std::pair<std::string, std::string>>& records);
  /// GNU's long name ('L') or link ('K') for the next entry.
  tar_builder& gnu_long(char type, const std::string& text);

  [[nodiscard]] std::string take();  ///< with the two zero blocks
  [[nodiscard]] std::string unended() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace firstlight
