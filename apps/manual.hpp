#pragma once
#include <string>
#include <vector>

#include "apps/command.hpp"

/// Manual pages and shell completion, made from the tree of commands. Pure.
namespace firstlight {

struct man_page {
  std::string file;  ///< "firstlight-image-add.1"
  std::string text;  ///< in the man macros of groff
};

/// One page for each command and group, and one for the program.
[[nodiscard]] std::vector<man_page> man_pages(const CLI::App& root);

/// A completion script. `shell` is "bash", "zsh" or "fish". Errors: `invalid_argument` for another.
[[nodiscard]] result<std::string> completion_script(const CLI::App& root, const std::string& shell);

}  // namespace firstlight
