#include "model/image_config.hpp"

namespace firstlight {

std::vector<std::string> image_config::arguments() const {
  std::vector<std::string> all = entrypoint;
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

}  // namespace firstlight
