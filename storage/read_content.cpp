#include "storage/read_content.hpp"

namespace firstlight {

result<std::vector<std::byte>> read_content(const content_store& contents, const content_info& content,
                                            std::uint64_t bytes_max) {
  if (content.size > bytes_max)
    return fail(errc::limit_exceeded, "content " + content.id.root.hex() + " is larger than " +
                                          std::to_string(bytes_max) + " bytes");
  std::vector<std::byte> bytes(content.size);
  const auto got = contents.read(content, 0, bytes);
  if (!got) return tl::make_unexpected(got.error());
  return bytes;
}

}  // namespace firstlight
