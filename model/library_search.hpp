#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/elf.hpp"
#include "model/tree_path.hpp"

namespace firstlight {

/// Reads the begin of a regular file of the tree, as text; empty if it cannot be read.
using text_reader = std::function<std::string(std::uint32_t inode)>;

struct library_search_limits {
  std::uint32_t includes_max = 256;  ///< files included by ld.so.conf
  std::uint32_t folders_max = 1024;
};

/// Where the dynamic loader of an image looks for libraries.
class library_search {
 public:
  /// Reads /etc/ld.so.conf (or musl's path file) through `read`. `library_path` is LD_LIBRARY_PATH of the
  /// start.
  library_search(const tree_paths& paths, const text_reader& read, std::string_view library_path,
                 const library_search_limits& limits);

  /// All places where a library of that name may be found for a program or library `by` that lies in the
  /// directory inode `origin`, the loader's first choice first; each is a file with bytes.
  [[nodiscard]] std::vector<tree_location> candidates(std::string_view name, const elf_file& by,
                                                      std::uint32_t origin) const;

 private:
  void read_configuration(std::uint32_t inode, const text_reader& read, std::uint32_t depth);
  void include(std::string_view pattern, const text_reader& read, std::uint32_t depth);
  void add_folders(std::string_view list, std::string_view separators, std::vector<std::string>& into) const;

  const tree_paths& paths_;
  library_search_limits limits_;
  std::uint32_t includes_ = 0;
  std::vector<std::string> first_;       ///< LD_LIBRARY_PATH
  std::vector<std::string> configured_;  ///< of ld.so.conf
};

}  // namespace firstlight
