#pragma once
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <system_error>

#include "storage/erofs/erofs_image.hpp"
#include "storage/posix_file.hpp"
#include "storage/sha256.hpp"
#include "test/harness/image_oracle.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/skipped.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {

using shared_toc = std::shared_ptr<const toc_view>;

/// The TOC of a tree, contents known.
inline shared_toc toc_of(const image_tree& tree) {
  auto toc = toc_view::open(share(encode_toc({}, tree).value())).value();
  if (!toc->learn_contents(share(encode_content_ids(tree)))) throw std::runtime_error("bad contents");
  return toc;
}

inline erofs_image planned(const shared_toc& toc) {
  return erofs_image::plan(toc, toc_id{sha256(toc->message())}).value();
}

/// Writes the image of a TOC into a new file. @returns what was planned
inline erofs_image write_image(const shared_toc& toc, const std::filesystem::path& path) {
  auto image = planned(toc);
  const file_descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (auto written = image.write(file.get()); !written) throw std::runtime_error(to_string(written.error()));
  return image;
}

inline std::string bytes_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A mount for the time of a test. Throws std::system_error.
class mounted_folder {
 public:
  mounted_folder(const std::string& source, std::filesystem::path on, const char* type, unsigned long flags,
                 const std::string& options)
      : on_(std::move(on)) {
    std::filesystem::create_directories(on_);
    if (mount(source.c_str(), on_.c_str(), type, flags, options.c_str()) != 0)
      throw std::system_error(errno, std::system_category(), "mount " + on_.string());
  }
  ~mounted_folder() { umount2(on_.c_str(), MNT_DETACH); }
  mounted_folder(const mounted_folder&) = delete;
  mounted_folder& operator=(const mounted_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return on_; }

 private:
  std::filesystem::path on_;
};

inline std::unique_ptr<mounted_folder> mount_erofs(const std::filesystem::path& image,
                                                   const std::filesystem::path& on) {
  return std::make_unique<mounted_folder>(image.string(), on, "erofs", MS_RDONLY, "");
}

/// Whether this process may mount EROFS images from files; says so in the test's output if not.
inline bool mounting_is_possible() {
  static const bool possible = [] {
    const temporary_folder folder;
    image_tree tree;
    tree.inodes.resize(1);
    tree.inodes[0].type = file_type::directory;
    tree.directories.resize(1);
    write_image(toc_of(tree), folder.path() / "image");
    try {
      mount_erofs(folder.path() / "image", folder.path() / "root");
      return true;
    } catch (const std::system_error& refused) {
      // Anything else means a bad image.
      if (refused.code().value() == EPERM || refused.code().value() == ENODEV ||
          refused.code().value() == ENOTBLK)
        return false;
      throw;
    }
  }();
  if (!possible)
    test::note_skipped("mounting needs root, EROFS on files (Linux 6.12) and TMPDIR on a disk's file system");
  return possible;
}

/// Whether fsck.erofs is there; says so in the test's output if not.
inline bool fsck_is_possible() {
  static const bool possible = run_program("fsck.erofs -V") == 0;
  if (!possible) test::note_skipped("fsck.erofs is not installed");
  return possible;
}

/// Whether fsck.erofs, if it is installed, has nothing against the image. Its exit status does not tell:
/// version 1.5 ends with success when the checksum is wrong.
inline bool passes_fsck(const std::filesystem::path& image) {
  return !fsck_is_possible() ||
         run_program("fsck.erofs -d3 " + image.string() + " 2>&1 | grep -q 'No errors found'") == 0;
}

/// Contents as the mount of the image alone shows them.
inline result<std::size_t> read_zeros(const content_info&, std::uint64_t, std::span<std::byte> into) {
  std::fill(into.begin(), into.end(), std::byte{0});
  return into.size();
}

/// What Linux shows of the attributes that an image gives a file of this type.
inline void keep_showable(image_inode& inode) {
  const bool plain = inode.type == file_type::regular || inode.type == file_type::directory;
  std::erase_if(inode.xattrs, [&](const xattr& each) {
    if (each.name.starts_with("user.")) return !plain;
    if (each.name.starts_with("system.posix_acl_")) return inode.type == file_type::symlink;
    return !each.name.starts_with("trusted.") && !each.name.starts_with("security.");
  });
}

/// The tree that the mount of an image alone shows: attributes of overlayfs included, those of the image
/// escaped.
inline image_tree as_stored(image_tree tree) {
  constexpr std::string_view mark = "trusted.overlay.";
  for (auto& inode : tree.inodes) {
    keep_showable(inode);
    for (auto& each : inode.xattrs)
      if (each.name.starts_with(mark)) each.name.insert(mark.size(), "overlay.");
    if (inode.type == file_type::regular && inode.content != image_inode::no_content) {
      const auto digits = tree.contents.at(inode.content).id.root.hex();
      inode.xattrs.push_back({"trusted.overlay.metacopy", ""});
      inode.xattrs.push_back(
          {"trusted.overlay.redirect", "/" + digits.substr(0, 2) + "/" + digits.substr(2)});
    }
    std::sort(inode.xattrs.begin(), inode.xattrs.end());
  }
  return tree;
}

/// The first lines are enough to see what is wrong.
inline std::vector<std::string> first_differences(const observed_tree& expected,
                                                  const observed_tree& actual) {
  auto lines = differences(expected, actual);
  if (lines.size() > 20) lines.resize(20);
  return lines;
}

}  // namespace firstlight
