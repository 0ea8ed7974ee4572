#include "apps/login_option.hpp"

#include <cstdio>
#include <filesystem>

#include "apps/table.hpp"
#include "logins/docker_logins.hpp"
#include "model/image_reference.hpp"

namespace firstlight {

void add_login_option(CLI::App& command, std::string& authfile) {
  command
      .add_option(
          "--authfile", authfile,
          "logins to registries, as 'docker login' writes them (default: $DOCKER_CONFIG/config.json or "
          "~/.docker/config.json; then what the node finds)")
      ->type_name("FILE");
}

result<registry_login> own_login(const std::string& authfile, const std::string& reference) {
  const auto image = parse_image_reference(reference);
  if (!image || image->transport != image_transport::registry) return registry_login{};
  if (!authfile.empty() && !std::filesystem::exists(authfile))
    return fail(errc::not_found, "--authfile: " + authfile + " is not there");
  auto found = find_docker_login({.config_file = authfile}, image->host, image->repository);
  if (!found && !authfile.empty()) return tl::unexpected(found.error());
  if (!found)
    std::fprintf(stderr, "firstlight: no login is used: %s\n", printable(found.error().detail).c_str());
  return found && *found ? std::move(**found) : registry_login{};
}

}  // namespace firstlight
