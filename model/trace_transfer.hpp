#pragma once
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "model/delta.hpp"
#include "model/learned_order.hpp"

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

 private:
  using index = std::unordered_map<std::string, std::vector<std::uint32_t>>;

  std::unordered_map<std::string, std::uint32_t> by_path_;
  std::unordered_map<content_id, std::uint32_t> by_content_;
  index by_plain_path_;
  index by_plain_name_;
};

/// Blocks of a file as blocks of another version of it: the same share of its length, and a little beside,
/// since what a version adds moves what is behind it; more when their sizes differ much; small files whole.
[[nodiscard]] traced_run scaled_run(const traced_run& run, std::uint32_t blocks_before,
                                    std::uint32_t blocks_now);

/// What a guess expects, in its order, in two parts.
struct parted_guess {
  std::vector<block_run> news;  ///< of contents that the relative has nothing like, as many as fit
  std::vector<block_run> rest;
};
/// A relative says nothing of a library that it did not have, and loaders read libraries early.
/// @param relatives  contents that stand for a file of the relative
/// @param contents   the content table of the image; runs outside of it are dropped
[[nodiscard]] parted_guess part_guess(std::span<const block_run> expected,
                                      const std::unordered_set<std::uint32_t>& relatives,
                                      std::span<const content_info> contents, block_geometry geometry,
                                      std::uint64_t news_bytes_max);

}  // namespace firstlight
