#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

/// Patterns of the small files that every start of a dynamic program reads before anything else.
[[nodiscard]] const std::vector<std::string>& first_startup_files();

/// Patterns (tree_glob.hpp) of the files that nearly every start of a Linux program reads.
[[nodiscard]] const std::vector<std::string>& common_startup_files();

/// Patterns of the files that a known runtime (python, perl, node, java, php, ruby, bash) reads whenever it
/// starts, by the name of its program ("python3.11"); empty for other programs. Those without leading '/' are
/// seen from the folder of the program.
[[nodiscard]] std::vector<std::string> runtime_startup_files(std::string_view program);

/// Patterns of the configuration that a program of that name would read below /etc ("redis-server": redis*).
[[nodiscard]] std::vector<std::string> configuration_files(std::string_view program);

}  // namespace firstlight
