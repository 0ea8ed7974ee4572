#pragma once
#include <functional>
#include <vector>

#include "model/image_config.hpp"
#include "model/image_tree.hpp"
#include "model/library_search.hpp"
#include "model/plan.hpp"

namespace firstlight {

/// Gives exactly `length` bytes of a content from `offset`, or an error.
using content_reader = std::function<result<std::vector<std::byte>>(
    const content_info& content, std::uint64_t offset, std::uint32_t length)>;

struct static_order_limits {
  std::uint32_t guessed_files_max = 4096;
  std::uint32_t program_depth_max = 8;       ///< scripts and interpreters that start each other
  std::uint32_t script_commands_max = 64;    ///< looked up of one shell script or "sh -c" text
  std::uint32_t text_bytes_max = 64 * 1024;  ///< read of one script or ld.so.conf file
  std::uint32_t pattern_files_max = 128;     ///< found by one pattern, such as /etc/NAME/*
  std::uint64_t guessed_content_bytes_max = 32ULL
                                            << 20U;       ///< of a larger file only the first part is guessed
  std::uint64_t small_library_bytes_max = 512ULL << 10U;  ///< constants of larger ones are read late or never
  std::uint32_t argument_files_max = 2048;                ///< below one folder that a program is given
  std::uint64_t argument_file_bytes_max = 32ULL << 20U;   ///< larger ones of them are not guessed
  std::uint32_t library_lookups_max = 65'536;
  elf_limits elf;
  library_search_limits libraries;
};

/// Guesses which blocks a start reads, without any trace: the program of entrypoint or command, found through
/// the PATH of the environment (Docker's default without one), and its interpreters, the libraries that ld.so
/// would load, the start-up files of known runtimes, what every start reads, and the program's own
/// configuration; each once, in about the order of a start. Files that cannot be read or parsed are taken
/// whole and not followed. Deterministic; never fails: an image that cannot be understood gives an empty
/// order.
[[nodiscard]] content_order guess_order(const image_tree& tree, block_geometry geometry,
                                        const image_config& config, const content_reader& read,
                                        const static_order_limits& limits = {});

}  // namespace firstlight
