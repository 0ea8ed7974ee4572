#include "model/image_path.hpp"

namespace firstlight {

std::vector<std::string_view> clean_components(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      components.push_back(part);
    } else if (!components.empty()) {
      components.pop_back();
    }
  }
  return components;
}

}  // namespace firstlight
