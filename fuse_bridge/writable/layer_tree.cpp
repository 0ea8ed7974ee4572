#include "fuse_bridge/writable/layer_tree.hpp"

#include <algorithm>
#include <cassert>

namespace firstlight {

layer_tree::layer_tree(std::shared_ptr<const toc_view> toc) : toc_(std::move(toc)) {
  auto& root = nodes_[root_inode];
  root.number = root.image = root_inode;
  root.type = S_IFDIR;
  root.below = true;
}

layer_node* layer_tree::find(node_number number) {
  const auto found = nodes_.find(number);
  return found == nodes_.end() ? nullptr : &found->second;
}
const layer_node* layer_tree::find(node_number number) const {
  const auto found = nodes_.find(number);
  return found == nodes_.end() ? nullptr : &found->second;
}

mode_t layer_tree::type(node_number number) const {
  const auto* node = find(number);
  return node != nullptr ? node->type : toc_->inode(static_cast<inode_number>(number)).mode & S_IFMT;
}

bool layer_tree::removed(node_number folder) const {
  if (const auto* node = find(folder)) return folder != root_inode && node->places.empty();
  if (hidden_folders_.empty()) return false;
  for (auto at = static_cast<inode_number>(folder); find(at) == nullptr; at = toc_->parent(toc_->inode(at)))
    if (hidden_folders_.contains(at)) return true;
  return false;
}

std::optional<inode_view> layer_tree::folder_below(node_number folder) const {
  const auto* node = find(folder);
  if (node != nullptr && !node->below) return std::nullopt;
  const auto inode = toc_->inode(node != nullptr ? node->image : static_cast<inode_number>(folder));
  return inode.type == file_type::directory ? std::optional(inode) : std::nullopt;
}

std::optional<inode_number> layer_tree::below(node_number folder, std::string_view name) const {
  const auto of_image = folder_below(folder);
  return of_image ? toc_->lookup(*of_image, name) : std::nullopt;
}

std::optional<node_number> layer_tree::lookup(node_number folder, std::string_view name) const {
  const auto* node = find(folder);
  if (node == nullptr) return removed(folder) ? std::nullopt : below(folder, name);
  const auto own = node->entries.find(name);
  if (!own) return below(folder, name);
  return *own == folder_entries::whiteout ? std::nullopt : own;
}

node_number layer_tree::parent(node_number folder) const {
  const auto* node = find(folder);
  if (node == nullptr) return toc_->parent(toc_->inode(static_cast<inode_number>(folder)));
  return node->places.empty() ? folder : node->places.front().folder;
}

void layer_tree::list(node_number folder, listing_place from,
                      const std::function<bool(const listed_entry&)>& take) const {
  const auto* node = find(folder);
  const auto of_image = folder_below(folder);
  const listing_place end = first_image_place + (of_image ? toc_->entry_count(*of_image) : 0);
  for (auto place = std::max(from, first_image_place); place < end; ++place) {
    const auto entry = toc_->entry(*of_image, static_cast<std::uint32_t>(place - first_image_place));
    const auto own = node != nullptr ? node->entries.find(entry.name) : std::nullopt;
    if (own == folder_entries::whiteout) continue;
    if (!take({entry.name, own.value_or(entry.inode), place})) return;
  }
  if (node == nullptr) return;
  for (auto own = node->entries.next(from); own; own = node->entries.next(own->place + 1))
    if (!take(*own)) return;
}

bool layer_tree::is_empty(node_number folder) const {
  bool empty = true;
  list(folder, first_image_place, [&](const listed_entry&) {
    empty = false;
    return false;
  });
  return empty;
}

std::uint32_t layer_tree::folder_links(node_number folder) const {
  std::uint32_t links = 2;
  list(folder, first_image_place, [&](const listed_entry& entry) {
    if (is_folder(entry.number)) ++links;
    return true;
  });
  return links;
}

const image_names& layer_tree::names() const {
  if (!names_) names_.emplace(*toc_);
  return *names_;
}

bool layer_tree::shown(inode_number folder) const {
  if (folder == root_inode) return nodes_.at(root_inode).below;
  if (const auto* node = find(folder)) return node->below && !node->places.empty();
  return !image_places(folder).empty();
}

std::vector<layer_place> layer_tree::image_places(inode_number inode) const {
  std::vector<layer_place> places;
  for (const auto& name : names().of(inode)) {
    const std::string text(toc_->entry(toc_->inode(name.folder), name.position).name);
    const auto* folder = find(name.folder);
    if (folder != nullptr && (!folder->below || folder->entries.contains(text))) continue;
    if (shown(name.folder)) places.push_back({name.folder, text});
  }
  return places;
}

std::string layer_tree::image_path(inode_number inode) const {
  std::string path;
  for (auto at = inode; at != root_inode;) {
    const auto name = names().of(at).front();
    const auto text = toc_->entry(toc_->inode(name.folder), name.position).name;
    path.insert(0, at == inode ? "" : "/").insert(0, text);
    at = name.folder;
  }
  return path;
}

std::string layer_tree::path(node_number number) const {
  if (number == root_inode) return ".";
  const auto& place = nodes_.at(number).places.front();
  return path(place.folder, place.name);
}

std::string layer_tree::path(node_number folder, std::string_view name) const {
  std::vector<std::string_view> parts{name};
  for (auto at = folder; at != root_inode;) {
    const auto& place = nodes_.at(at).places.front();
    parts.push_back(place.name);
    at = place.folder;
  }
  std::string text;
  std::for_each(parts.rbegin(), parts.rend(), [&text](std::string_view part) {
    if (!text.empty()) text.push_back('/');
    text.append(part);
  });
  return text;
}

node_number layer_tree::free_number(ino_t disk_inode) const {
  if (const auto ordinary = disk_number(disk_inode); !known(ordinary)) return ordinary;
  // A removed file that the kernel still knows may have had the same inode of the disk. Programs of 32 bits
  // cannot look at a file whose number has more: so one of the upper half of those, where few disks have any.
  constexpr node_number first = 1ULL << 31U;
  constexpr node_number golden = 2'654'435'761;  // numbers that stand side by side are spread
  auto offset = (disk_inode * golden) % first;
  while (known(first + offset)) offset = (offset + 1) % first;
  return first + offset;
}

void layer_tree::find_removed_folders() {
  for (const auto& [number, node] : nodes_)
    for (const auto& [name, shown_there] : node.entries) {
      const auto of_image = below(number, name);
      if (of_image && of_image != shown_there.number && !find(*of_image) && is_folder(*of_image))
        hidden_folders_.insert(*of_image);
    }
}

layer_node& layer_tree::add(layer_node&& node) {
  const auto number = node.number;
  const auto [place, is_new] = nodes_.try_emplace(number, std::move(node));
  assert(is_new);
  return place->second;
}

void layer_tree::drop_place(const layer_place& place) {
  const auto number = nodes_.at(place.folder).entries.find(place.name);
  auto* const node = number ? find(*number) : nullptr;
  if (node != nullptr) std::erase(node->places, place);
}

void layer_tree::set_entry(const layer_place& place, node_number number) {
  drop_place(place);
  auto& entries = nodes_.at(place.folder).entries;
  const auto of_image = folder_below(place.folder);
  if (of_image && toc_->lookup(*of_image, place.name)) return entries.put_at_image_place(place.name, number);
  entries.put(place.name, number, of_image ? toc_->entry_count(*of_image) : 0);
}

void layer_tree::put(const layer_place& place, node_number number) {
  set_entry(place, number);
  nodes_.at(number).places.push_back(place);
}

void layer_tree::take(const layer_place& place) {
  drop_place(place);
  nodes_.at(place.folder).entries.erase(place.name);
}

void layer_tree::hide(const layer_place& place) {
  set_entry(place, folder_entries::whiteout);
}

}  // namespace firstlight
