#pragma once
#include <span>
#include <unordered_map>

#include "model/delta.hpp"
#include "model/learned_order.hpp"
#include "model/version_map.hpp"

namespace firstlight {

/// Finds for the files of one image those of a relative (another tag, an image with the same base): by path,
/// then by content, then by path and name but for version numbers, then by name but for version numbers where
/// only one such file is there.
class file_mapping {
 public:
  /// All regular files with contents of the image that is to be started, as `files_of` lists them; `contents`
  /// is its content table.
  file_mapping(std::span<const file_content> files, std::span<const content_info> contents);

  /// The content at exactly this path; nothing if there is none.
  [[nodiscard]] std::optional<std::uint32_t> find_path(const std::string& path) const;
  /// The content of the wanted image that stands for a file of the relative; nothing if there is none.
  [[nodiscard]] std::optional<std::uint32_t> find(const file_content& of_relative) const;
  /// The same for a file of which only its path is known.
  [[nodiscard]] std::optional<std::uint32_t> find_named(const std::string& path) const;

 private:
  [[nodiscard]] std::optional<std::uint32_t> find_like(const std::string& path) const;
  using index = std::unordered_map<std::string, std::vector<std::uint32_t>>;

  std::unordered_map<std::string, std::uint32_t> by_path_;
  std::unordered_map<content_id, std::uint32_t> by_content_;
  index by_plain_path_;
  index by_plain_name_;
};

/// Blocks of a file as blocks of another version of it. Between near anchors of the map: wherever they may
/// be, since what a version adds moves what is behind it, and a page beside. Else where the map has them, and
/// more beside, still more if the sizes differ much. Small files come whole.
[[nodiscard]] traced_run moved_run(const traced_run& run, const version_map& map, std::uint64_t size_before,
                                   std::uint64_t size_now, block_geometry geometry);

/// A start of a relative of which nothing but the trace is known. Files are found by their names; blocks are
/// where they were, with a little beside (`moved_run` of equal sizes), and those behind the end of a file are
/// left out, as are files that the wanted image has nothing like. A file of which blocks are read first twice
/// counts as opened only. The weight is 1.
/// @param mapping, contents, geometry  of the wanted image
[[nodiscard]] observed_start observe_by_names(const trace& recorded, const file_mapping& mapping,
                                              std::span<const content_info> contents,
                                              block_geometry geometry);

}  // namespace firstlight
