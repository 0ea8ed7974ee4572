#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "storage/content_name.hpp"
#include "test/harness/node/test_image.hpp"
#include "test/storage/erofs/erofs_fixture.hpp"

namespace firstlight {
namespace {

namespace fs = std::filesystem;

/// An image below an overlayfs whose data come from a folder of contents, as on a node.
class overlaid_image {
 public:
  enum class contents { all, none };
  explicit overlaid_image(const image_builder& builder, contents present = contents::all)
      : built_(builder.build()) {
    write_image(built_.toc, folder_.path() / "image");
    CHECK(passes_fsck(folder_.path() / "image"));
    fs::create_directories(store());
    fs::create_directories(folder_.path() / "late");
    for (std::uint32_t i = 0; present == contents::all && i < built_.bytes.size(); ++i) put(i, store());
    image_ = mount_erofs(folder_.path() / "image", folder_.path() / "metadata");
  }

  /// Makes a content available. Its file's own attributes are nobody's.
  void put(std::uint32_t content, const fs::path& layer) const {
    const auto name = layer / content_name(built_.toc->content(content).id).view();
    fs::create_directories(name.parent_path());
    const auto hidden = layer / "arriving";
    std::ofstream(hidden, std::ios::binary) << built_.bytes.at(content);
    fs::permissions(hidden, fs::perms(0400));
    fs::rename(hidden, name);
  }

  enum class view { read_only, writable };
  const fs::path& mount(view how) {
    auto options = "metacopy=on,redirect_dir=on,index=off,xino=on,lowerdir=" + image_->path().string() +
                   "::" + store().string() + "::" + (folder_.path() / "late").string();
    if (how == view::writable) {
      fs::create_directories(folder_.path() / "upper");
      fs::create_directories(folder_.path() / "work");
      options += ",upperdir=" + (folder_.path() / "upper").string() +
                 ",workdir=" + (folder_.path() / "work").string();
    }
    overlay_ = std::make_unique<mounted_folder>("test", folder_.path() / "root", "overlay", 0UL, options);
    return overlay_->path();
  }

  [[nodiscard]] fs::path store() const { return folder_.path() / "store"; }
  [[nodiscard]] fs::path late() const { return folder_.path() / "late"; }
  [[nodiscard]] fs::path folder() const { return folder_.path(); }
  [[nodiscard]] observed_tree expected() const {
    auto tree = built_.toc->tree();
    for (auto& inode : tree.inodes) keep_showable(inode);
    return observe_tree(tree,
                        [&](const content_info& content, std::uint64_t offset, std::span<std::byte> into) {
                          for (std::uint32_t i = 0; i < built_.bytes.size(); ++i)
                            if (built_.toc->content(i).id == content.id)
                              std::memcpy(into.data(), built_.bytes[i].data() + offset, into.size());
                          return result<std::size_t>(into.size());
                        });
  }

 private:
  temporary_folder folder_;
  image_builder::built built_;
  std::unique_ptr<mounted_folder> image_;
  std::unique_ptr<mounted_folder> overlay_;
};

image_builder small_system() {
  image_builder image;
  image.root().permissions = 0711;
  image.root().uid = 5;
  image.file("usr/bin/su", patterned_bytes(40'000, 1), 04755).uid = 3;
  image.hard_link("usr/bin/also", "usr/bin/su");
  image.file("usr/bin/same", patterned_bytes(40'000, 2), 0755).modified = {-5, 7};
  image.file("etc/conf", "configuration", 0640).gid = 70'000;
  image.file("etc/empty", "");
  image.file("etc/marked", "x").xattrs = {
      {"trusted.overlay.metacopy", ""}, {"trusted.overlay.redirect", "/etc/conf"}, {"user.kept", "1"}};
  image.directory("opaque").xattrs = {{"trusted.overlay.opaque", "y"}, {"trusted.overlay.redirect", "/etc"}};
  image.file("opaque/below", "still there");
  image.symlink("bin", "usr/bin");
  image.device("dev/null", file_type::character_device, 1, 3);
  image.device("dev/loop", file_type::block_device, 7, 300);
  image.device("dev/pipe", file_type::fifo, 0, 0);
  return image;
}

std::optional<std::string> attribute(const fs::path& path, const char* name) {
  std::string value(256, '\0');
  const auto got = lgetxattr(path.c_str(), name, value.data(), value.size());
  if (got < 0) return std::nullopt;
  return value.substr(0, static_cast<std::size_t>(got));
}

const std::vector<std::string> none;

}  // namespace

TEST_CASE("an overlayfs above the image and a folder of contents is the image, bytes and all") {
  if (!mounting_is_possible()) return;
  overlaid_image image(small_system());
  const auto& root = image.mount(overlaid_image::view::read_only);
  CHECK(first_differences(image.expected(), observe_folder(root)) == none);
}

TEST_CASE("attributes are there without any content; a file can be read once its content has arrived") {
  if (!mounting_is_possible()) return;
  overlaid_image image(small_system(), overlaid_image::contents::none);
  const auto& root = image.mount(overlaid_image::view::read_only);
  struct stat status {};
  REQUIRE(lstat((root / "usr/bin/su").c_str(), &status) == 0);
  CHECK(status.st_mode == (S_IFREG | 04755));
  CHECK(status.st_size == 40'000);
  CHECK(bytes_of_file(root / "etc/marked").empty());
  CHECK_FALSE(fs::exists(root / "etc/absent"));
  CHECK(::open((root / "etc/conf").c_str(), O_RDONLY | O_CLOEXEC) == -1);
  // The second folder plays the FUSE mount, which has every content.
  for (std::uint32_t i = 0; i < 5; ++i) image.put(i, i % 2 == 0 ? image.store() : image.late());
  CHECK(first_differences(image.expected(), observe_folder(root)) == none);
}

TEST_CASE("above a writable overlayfs files change, attributes without their contents") {
  if (!mounting_is_possible()) return;
  overlaid_image image(small_system());
  const auto& root = image.mount(overlaid_image::view::writable);
  REQUIRE(chmod((root / "usr/bin/same").c_str(), 0700) == 0);
  CHECK(attribute(image.folder() / "upper/usr/bin/same", "trusted.overlay.metacopy"));
  CHECK(bytes_of_file(root / "usr/bin/same") == patterned_bytes(40'000, 2));
  std::ofstream(root / "etc/conf", std::ios::app) << ", more";
  CHECK(bytes_of_file(root / "etc/conf") == "configuration, more");
  fs::rename(root / "opaque", root / "moved");
  CHECK(bytes_of_file(root / "moved/below") == "still there");
}

TEST_CASE(
    "a device 0:0 is shown as an empty file that a nested overlayfs takes for the whiteout that it is") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("lower/gone", "hidden by the layer above");
  builder.file("lower/kept", "kept");
  builder.device("upper/gone", file_type::character_device, 0, 0).permissions = 0600;
  builder.device("upper/other", file_type::character_device, 1, 3);
  overlaid_image image(builder);
  const auto& root = image.mount(overlaid_image::view::read_only);
  struct stat status {};
  REQUIRE(lstat((root / "upper/gone").c_str(), &status) == 0);
  CHECK(status.st_mode == (S_IFREG | 0600));
  CHECK(status.st_size == 0);
  CHECK(status.st_mtim.tv_nsec == 123'456'789);
  CHECK(attribute(root / "upper/gone", "trusted.overlay.whiteout") == "");
  CHECK(attribute(root / "upper", "trusted.overlay.opaque") == "x");
  CHECK_FALSE(attribute(root / "lower", "trusted.overlay.opaque"));
  const mounted_folder nested("test", image.folder() / "nested", "overlay", 0,
                              "lowerdir=" + (root / "upper").string() + ":" + (root / "lower").string());
  CHECK_FALSE(fs::exists(nested.path() / "gone"));
  CHECK(bytes_of_file(nested.path() / "kept") == "kept");
  CHECK(fs::is_character_file(nested.path() / "other"));
}

}  // namespace firstlight
