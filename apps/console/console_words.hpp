#pragma once
#include <string>
#include <vector>

#include "apps/command.hpp"

/// How the console reads a line: words, and what a word may become. Pure.
namespace firstlight {

/// Splits a line as a shell does: blanks separate, quotes and backslashes keep them. Errors:
/// `invalid_argument` for a quote without an end.
[[nodiscard]] result<std::vector<std::string>> split_words(std::string_view line);

/// What there is to name.
struct console_names {
  std::vector<std::string> images;  ///< references
  std::vector<std::string> mounts;
};

/// Whether what the words lead to takes names of images or mounts.
[[nodiscard]] bool takes_names(const CLI::App& root, const std::vector<std::string>& before);

/// What the word that is being typed may become, given the words before it: commands and options of the tree,
/// the console's own words in front, images and mounts. Sorted, each once.
[[nodiscard]] std::vector<std::string> completions(const CLI::App& root,
                                                   const std::vector<std::string>& before,
                                                   const std::string& typed, const console_names& names);

}  // namespace firstlight
