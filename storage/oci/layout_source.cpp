#include "storage/oci/layout_source.hpp"

#include <set>

#include "storage/oci/file_source.hpp"
#include "storage/oci/resolve_image.hpp"

namespace firstlight {
namespace {

class layout_source : public image_source {
 public:
  layout_source(std::unique_ptr<layout_files> files, std::string tag, const ingest_limits& limits)
      : files_(std::move(files)), tag_(std::move(tag)), limits_(limits) {}

  result<digest> current_digest() override {
    auto top = find();
    if (!top) return tl::unexpected(top.error());
    return top->id;
  }

  result<resolved_image> resolve(const platform& wanted) override {
    auto top = find();
    if (!top) return tl::unexpected(top.error());
    const text_reader read = [this](const blob_descriptor& blob, std::uint32_t bytes_max) {
      return read_text(blob_name(blob), bytes_max);
    };
    auto text = read_checked(*top, read, limits_.manifest_bytes_max, "manifest_bytes_max");
    if (!text) return fail(text.error(), files_->name());
    auto image = resolve_image({std::move(*top), std::move(*text)}, wanted, read, limits_);
    if (!image) return fail(image.error(), files_->name());
    return image;
  }

  result<std::unique_ptr<byte_source>> open_blob(const blob_descriptor& blob) override {
    return files_->open(blob_name(blob));
  }

 private:
  static std::string blob_name(const blob_descriptor& blob) { return "blobs/sha256/" + blob.id.hex(); }

  result<std::string> read_text(const std::string& name, std::uint32_t bytes_max) {
    auto file = files_->open(name);
    if (!file) return tl::unexpected(file.error());
    return read_all(**file, bytes_max, name + " is too large");
  }

  result<blob_descriptor> find() {
    auto text = read_text("index.json", limits_.manifest_bytes_max);
    if (!text) return fail(text.error(), "not an OCI layout");
    auto entries = parse_image_index(*text);
    if (!entries) return fail(entries.error(), files_->name());
    return pick(*entries);
  }

  result<blob_descriptor> pick(const std::vector<index_entry>& entries) {
    std::string names;
    std::set<digest> distinct;
    for (const auto& entry : entries) {
      if (!tag_.empty() && entry.reference_name == tag_) return entry.blob;
      names.append(names.empty() ? "" : ", ").append(entry.reference_name);
      distinct.insert(entry.blob.id);
    }
    if (tag_.empty() && distinct.size() == 1) return entries.front().blob;
    const std::string there = "; there is: " + (names.empty() ? "none" : names.substr(0, 500));
    if (!tag_.empty()) return fail(errc::not_found, files_->name() + " has no image '" + tag_ + "'" + there);
    return fail(errc::invalid_argument, files_->name() + " has " + std::to_string(distinct.size()) +
                                            " images: say which one by its tag" + there);
  }

  std::unique_ptr<layout_files> files_;
  std::string tag_;
  ingest_limits limits_;
};

}  // namespace

std::unique_ptr<image_source> make_layout_source(std::unique_ptr<layout_files> files, std::string tag,
                                                 const ingest_limits& limits) {
  return std::make_unique<layout_source>(std::move(files), std::move(tag), limits);
}

}  // namespace firstlight
