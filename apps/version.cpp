#include "apps/version.hpp"

namespace firstlight {

std::string_view software_version() {
  return FIRSTLIGHT_VERSION;
}

std::string_view version_line() {
  return "firstlight " FIRSTLIGHT_VERSION " (protocol 1)";
}

}  // namespace firstlight
