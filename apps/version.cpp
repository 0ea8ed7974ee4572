#include "apps/version.hpp"

#include "schemas/protocol_version.hpp"

namespace firstlight {

std::string_view software_version() {
  return FIRSTLIGHT_VERSION;
}

std::string version_line() {
  return "firstlight " FIRSTLIGHT_VERSION " (protocol " + std::to_string(protocol_version) + ")";
}

}  // namespace firstlight
