#include "model/mount_name.hpp"

#include <algorithm>

namespace firstlight {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

std::string_view last_part(std::string_view path) {
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace

result<std::string> check_mount_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= mount_name_bytes_max && name.front() != '.' &&
                    name.front() != '-' && std::all_of(name.begin(), name.end(), plain);
  if (fits) return std::string(name);
  return fail(errc::invalid_argument,
              "a mount's name has 1 to 200 of A-Z a-z 0-9 . _ - and starts with a letter, "
              "digit or _: not \"" +
                  std::string(name) + "\"");
}

std::string make_mount_name(const image_reference& reference, std::uint64_t number) {
  std::string name;
  for (const char c : last_part(reference.repository.empty() ? reference.path : reference.repository))
    if (plain(c) && name.size() < mount_name_bytes_max / 2 && !(name.empty() && (c == '.' || c == '-')))
      name += c;
  return (name.empty() ? "image" : name) + "-" + std::to_string(number);
}

}  // namespace firstlight
