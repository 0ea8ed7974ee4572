#include "fuse_bridge/writable/image_names.hpp"

namespace firstlight {
namespace {

template <class Visit>
void for_each_name(const toc_view& toc, Visit visit) {
  for (inode_number folder = root_inode; folder <= toc.inode_count(); ++folder) {
    const auto inode = toc.inode(folder);
    if (inode.type != file_type::directory) continue;
    for (std::uint32_t position = 0; position < toc.entry_count(inode); ++position)
      visit(toc.entry(inode, position).inode, image_name{folder, position});
  }
}

}  // namespace

image_names::image_names(const toc_view& toc) : first_(toc.inode_count() + 2, 0) {
  // Counting sort: how many names, where they begin, and then each at the next free place of its inode.
  for_each_name(toc, [&](inode_number inode, image_name) { ++first_[inode + 1]; });
  for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  names_.resize(first_.back());
  auto next = first_;
  for_each_name(toc, [&](inode_number inode, image_name name) { names_[next[inode]++] = name; });
}

std::span<const image_name> image_names::of(inode_number inode) const {
  return std::span(names_).subspan(first_[inode], first_[inode + 1] - first_[inode]);
}

}  // namespace firstlight
