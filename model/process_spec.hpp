#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/image_config.hpp"

/// Which process a container starts with, decided from the image and the user's wishes as Docker does.
namespace firstlight {

/// What the user asks for beside the image; empty members leave it to the image.
struct process_wishes {
  std::optional<std::string> entrypoint;  ///< set: replaces the image's and drops its command; "" means none
  std::vector<std::string> arguments;     ///< replace the image's command
  std::vector<std::string> environment;   ///< "NAME=value", stronger than the image's
  std::string user;                       ///< "user[:group]", names or numbers
  std::string working_directory;
  bool terminal = false;
};

struct process_spec {
  std::vector<std::string> arguments;    ///< at least one
  std::vector<std::string> environment;  ///< "NAME=value", names unique; always with PATH and HOME
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;  ///< further ones, ascending
  std::string working_directory;      ///< absolute
  friend bool operator==(const process_spec&, const process_spec&) = default;
};

/// Where names of users and groups are looked up: the texts of the image's /etc/passwd and /etc/group,
/// empty if it has none.
struct account_files {
  std::string_view passwd;
  std::string_view group;
};

/// Errors: `invalid_argument` when neither image nor user names a program, or a wish is malformed;
/// `not_found` for a user or group name that the image does not know.
[[nodiscard]] result<process_spec> decide_process(const image_config& image, const process_wishes& wishes,
                                                  const account_files& accounts);

}  // namespace firstlight
