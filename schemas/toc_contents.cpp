#include "schemas/toc_contents.hpp"

#include <algorithm>

#include "schemas/toc_paths.hpp"

namespace firstlight {
namespace {

/// Each block is read first once; a trace that says otherwise would be learned from for minutes.
result<void> check_runs(const traced_file& file, std::uint32_t blocks) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
  for (const auto& run : file.runs) {
    if (run.first >= blocks || run.count > blocks - run.first)
      return fail(errc::invalid_argument,
                  "a trace of another image: " + file.path + " has " + std::to_string(blocks) + " blocks");
    ranges.emplace_back(run.first, run.first + run.count);
  }
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].first < ranges[i - 1].second)
      return fail(errc::invalid_argument, "blocks of " + file.path + " are read first twice");
  return {};
}

}  // namespace

std::vector<content_info> contents_of(const toc_view& toc) {
  std::vector<content_info> contents;
  contents.reserve(toc.content_count());
  for (std::uint32_t i = 0; i < toc.content_count(); ++i) contents.push_back(toc.content(i));
  return contents;
}

std::vector<std::string> content_paths(const toc_view& toc) {
  std::vector<inode_number> inodes(toc.content_count(), 0);
  for (inode_number number = toc.inode_count(); number >= root_inode; --number) {
    const auto content = toc.inode(number).content;
    if (content != image_inode::no_content) inodes[content] = number;
  }
  return paths_of(toc, inodes);
}

result<std::optional<std::uint32_t>> content_at(const toc_view& toc, std::string_view path) {
  const auto number = find_path(toc, path);
  if (!number) return fail(errc::not_found, std::string(path) + " is not in this image");
  const auto inode = toc.inode(*number);
  if (inode.type != file_type::regular)
    return fail(errc::invalid_argument, std::string(path) + " is no file");
  if (inode.content == image_inode::no_content) return std::nullopt;
  return inode.content;
}

result<observed_start> observe(const toc_view& toc, const trace& recorded) {
  observed_start start;
  start.accesses.reserve(recorded.files.size());
  for (const auto& file : recorded.files) {
    const auto content = content_at(toc, file.path);
    if (!content) return fail(errc::invalid_argument, "a trace of another image: " + content.error().detail);
    if (!*content) continue;
    const auto blocks = toc.geometry().count(toc.content_size(**content));
    if (auto good = check_runs(file, blocks); !good) return tl::unexpected(good.error());
    start.accesses.push_back({**content, file.access, file.runs, file.wait});
  }
  return start;
}

}  // namespace firstlight
