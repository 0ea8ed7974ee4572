#include "apps/local_path.hpp"

#include <filesystem>

#include "model/image_reference.hpp"

namespace firstlight {

result<std::string> absolute_path(const std::string& path) {
  std::error_code problem;
  const auto whole = std::filesystem::absolute(path, problem);
  if (problem) return fail(errc::io, path + ": " + problem.message());
  return whole.lexically_normal().string();
}

result<std::string> absolute_reference(const std::string& reference) {
  auto parsed = parse_image_reference(reference);
  if (!parsed) return tl::unexpected(parsed.error());
  if (parsed->transport == image_transport::registry) return reference;
  const auto path = absolute_path(parsed->path);
  if (!path) return tl::unexpected(path.error());
  parsed->path = *path;
  return parsed->text();
}

}  // namespace firstlight
