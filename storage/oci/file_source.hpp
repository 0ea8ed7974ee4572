#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "storage/byte_source.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// A part of a file, [offset, offset + length). Several sources may share one descriptor.
class file_source : public byte_source {
 public:
  file_source(std::shared_ptr<const file_descriptor> file, std::string name, std::uint64_t offset,
              std::uint64_t length);
  /// Errors: `corrupt` if the file ends before the part does, `io`.
  result<std::size_t> read(std::span<std::byte> into) override;
  /// Where in the file the next byte comes from.
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  std::shared_ptr<const file_descriptor> file_;
  std::string name_;
  std::uint64_t position_;
  std::uint64_t end_;
};

struct opened_file {
  std::shared_ptr<const file_descriptor> file;
  std::uint64_t size = 0;
};
/// Opens a regular file for reading. Errors: `not_found`, `denied`, `io`, `invalid_argument` for anything
/// else.
[[nodiscard]] result<opened_file> open_regular(const std::string& path);

/// All bytes of a source. Errors: `limit_exceeded` naming `limit_name` above `bytes_max`; the source's.
[[nodiscard]] result<std::string> read_all(byte_source& source, std::uint64_t bytes_max,
                                           const std::string& limit_name);

}  // namespace firstlight
