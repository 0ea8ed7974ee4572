#pragma once
#include <string_view>
#include <vector>

#include "model/tree_path.hpp"

namespace firstlight {

/// Whether a name matches a pattern with '*' and '?'.
[[nodiscard]] bool matches_pattern(std::string_view name, std::string_view pattern);

/// All regular files with bytes whose path matches `pattern` ("/usr/lib/python3.*/os.py"), in the order of
/// names; symlinks are followed, "*" matches no leading dot. A pattern without leading '/' starts at the
/// directory inode `from`. At most `files_max`; a pattern that matches nothing gives nothing.
[[nodiscard]] std::vector<tree_location> find_files(const tree_paths& paths, std::string_view pattern,
                                                    std::uint32_t from, std::size_t files_max);

}  // namespace firstlight
