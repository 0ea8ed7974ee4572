#pragma once
#include "storage/sha256.hpp"
#include "test/harness/node/small_stores.hpp"

namespace firstlight {

/// An image in a node's stores.
struct kept_image {
  catalogue_name name;
  toc_id toc;
  digest manifest;
  std::vector<content_info> files;
};

/// What a delivery leaves of an image of one file for each of `texts`, of which the first `arrived` are
/// there. Equal files are one content in all images.
inline kept_image keep_image(node_stores& node, const std::string& reference,
                             const std::vector<std::string>& texts, std::size_t arrived) {
  kept_image made{{reference, host_platform().text()}, {}, {}, {}};
  image_tree tree{.inodes = {{.type = file_type::directory, .permissions = 0755, .links = 2}},
                  .directories = std::vector<image_directory>(1)};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto bytes = std::as_bytes(std::span(texts[i]));
    made.files.push_back({.id = {sha256(bytes)}, .size = bytes.size()});
    if (i < arrived && !node.contents->write(made.files[i], 0, bytes))
      throw std::runtime_error("a content is not stored");
    const auto number = static_cast<std::uint32_t>(i);
    tree.contents.push_back(made.files[i]);
    tree.inodes.push_back({.permissions = 0644, .size = bytes.size(), .content = number});
    tree.directories[0].entries.push_back({"f" + std::to_string(i), number + 1});
  }
  toc_header header;
  const auto what = reference + texts.at(0);
  header.manifest_digest = sha256(std::as_bytes(std::span(what)));
  header.config_json = reference;
  const auto toc = make_toc(header, tree);
  if (!toc || !node.catalogue->store_toc(*toc)) throw std::runtime_error("the TOC is not stored");
  made.toc = toc->id;
  made.manifest = header.manifest_digest;
  image_record record{.reference = reference, .platform = made.name.platform, .source = reference};
  record.toc = toc->id;
  record.manifest_digest = header.manifest_digest;
  record.complete = arrived == texts.size();
  if (!node.catalogue->put(record)) throw std::runtime_error("the record is not stored");
  return made;
}

[[nodiscard]] inline bool is_known(const node_stores& node, const kept_image& image) {
  return node.catalogue->find(image.name.reference, image.name.platform).value().has_value();
}
[[nodiscard]] inline bool has_file(const node_stores& node, const kept_image& image, std::size_t file) {
  return node.contents->state(image.files.at(file).id) == content_state::complete;
}

}  // namespace firstlight
