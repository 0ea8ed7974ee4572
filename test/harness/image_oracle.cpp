#include "test/harness/image_oracle.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace firstlight {
namespace {

[[noreturn]] void broken(const std::string& path) {
  throw std::system_error(errno, std::system_category(), path);
}

class hasher {
 public:
  hasher() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void update(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }
  std::string finish() {
    digest value;
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(value.bytes.data()), nullptr);
    return value.hex();
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string hash_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOATIME);
  if (file < 0) broken(path);
  hasher hash;
  std::vector<std::byte> buffer(256U << 10U);
  ssize_t got = 0;
  while ((got = read(file, buffer.data(), buffer.size())) > 0) {
    hash.update(std::span(buffer).first(static_cast<std::size_t>(got)));
  }
  close(file);
  if (got < 0) broken(path);
  return hash.finish();
}

std::string link_target(const std::string& path, std::size_t size) {
  std::string target(size + 1, '\0');
  const ssize_t got = readlink(path.c_str(), target.data(), target.size());
  if (got < 0) broken(path);
  target.resize(static_cast<std::size_t>(got));
  return target;
}

std::vector<xattr> read_xattrs(const std::string& path) {
  std::string names(64U << 10U, '\0');
  const ssize_t length = llistxattr(path.c_str(), names.data(), names.size());
  if (length < 0 && errno == ENOTSUP) return {};
  if (length < 0) broken(path);
  names.resize(static_cast<std::size_t>(length));
  std::vector<xattr> all;
  for (std::size_t at = 0; at < names.size(); at += all.back().name.size() + 1) {
    std::string value(64U << 10U, '\0');
    const std::string name = names.c_str() + at;
    const ssize_t got = lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (got < 0) broken(path);
    value.resize(static_cast<std::size_t>(got));
    all.push_back({name, value});
  }
  std::sort(all.begin(), all.end());
  return all;
}

observed_file observe_path(const std::string& path, const struct stat& s) {
  observed_file file;
  file.mode = s.st_mode;
  file.uid = s.st_uid;
  file.gid = s.st_gid;
  file.links = s.st_nlink;
  file.modified = {s.st_mtim.tv_sec, static_cast<std::uint32_t>(s.st_mtim.tv_nsec)};
  if (S_ISREG(s.st_mode) || S_ISLNK(s.st_mode)) file.size = static_cast<std::uint64_t>(s.st_size);
  if (S_ISLNK(s.st_mode)) file.target = link_target(path, file.size);
  if (S_ISREG(s.st_mode)) file.sha256 = hash_file(path);
  if (S_ISCHR(s.st_mode) || S_ISBLK(s.st_mode)) {
    file.device = std::uint64_t{major(s.st_rdev)} << 20U | minor(s.st_rdev);
  }
  file.xattrs = read_xattrs(path);
  return file;
}

std::uint32_t type_bits(file_type type) {
  switch (type) {
    case file_type::regular:
      return S_IFREG;
    case file_type::directory:
      return S_IFDIR;
    case file_type::symlink:
      return S_IFLNK;
    case file_type::character_device:
      return S_IFCHR;
    case file_type::block_device:
      return S_IFBLK;
    case file_type::fifo:
      return S_IFIFO;
  }
  throw std::runtime_error("an inode of no type");
}

std::string hash_content(const content_info* content, const content_reader& read) {
  hasher hash;
  std::vector<std::byte> buffer(256U << 10U);
  for (std::uint64_t at = 0; content != nullptr && at < content->size;) {
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), content->size - at));
    const auto got = read(*content, at, part);
    if (!got || *got == 0) throw std::runtime_error("a content cannot be read");
    hash.update(part.first(*got));
    at += *got;
  }
  return hash.finish();
}

observed_file observe_inode(const image_tree& tree, const image_inode& inode, const content_reader& read) {
  observed_file file;
  file.mode = type_bits(inode.type) | inode.permissions;
  file.uid = inode.uid;
  file.gid = inode.gid;
  file.links = inode.links;
  file.modified = inode.modified;
  if (inode.type == file_type::regular || inode.type == file_type::symlink) file.size = inode.size;
  file.target = inode.symlink_target;
  if (inode.type == file_type::character_device || inode.type == file_type::block_device) {
    file.device = std::uint64_t{inode.device_major} << 20U | inode.device_minor;
  }
  const bool has = inode.content != image_inode::no_content;
  if (inode.type == file_type::regular) {
    file.sha256 = hash_content(has ? &tree.contents.at(inode.content) : nullptr, read);
  }
  file.xattrs = inode.xattrs;
  return file;
}

std::string printable(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
    shown += byte < 0x20 || byte > 0x7e ? escaped : std::string(1, c);
  }
  return shown;
}

std::string show(const std::vector<xattr>& all) {
  std::string text;
  for (const auto& [name, value] : all) text += name + "=" + value + ";";
  return text;
}

class comparison {
 public:
  comparison(const oracle_options& options, std::vector<std::string>& lines)
      : options_(options), lines_(lines) {}

  void files(const std::string& path, const observed_file& a, const observed_file& b) {
    path_ = path;
    const bool directory = S_ISDIR(a.mode);
    check("mode", a.mode, b.mode);
    check("uid", a.uid, b.uid);
    check("gid", a.gid, b.gid);
    if (!directory || options_.directory_links) check("links", a.links, b.links);
    check("size", a.size, b.size);
    if (a.modified.seconds < options_.unpacked_since) {
      check("mtime seconds", a.modified.seconds, b.modified.seconds);
      check("mtime nanoseconds", a.modified.nanoseconds, b.modified.nanoseconds);
    }
    check("device", a.device, b.device);
    check_text("target", a.target, b.target);
    check_text("linked with", a.linked_with, b.linked_with);
    check_text("sha256", a.sha256, b.sha256);
    check_text("xattrs", show(a.xattrs), show(b.xattrs));
  }

 private:
  template <class Number>
  void check(const char* what, Number expected, Number actual) {
    check_text(what, std::to_string(expected), std::to_string(actual));
  }
  void check_text(const char* what, const std::string& expected, const std::string& actual) {
    if (expected == actual) return;
    lines_.push_back(printable(path_) + ": " + what + " is " + printable(actual) + ", expected " +
                     printable(expected));
  }

  const oracle_options& options_;
  std::vector<std::string>& lines_;
  std::string path_;
};

}  // namespace

observed_tree observe_folder(const std::filesystem::path& folder) {
  observed_tree tree;
  std::map<std::pair<dev_t, ino_t>, std::string> first;
  std::vector<std::string> paths{"."};
  for (const auto& item : std::filesystem::recursive_directory_iterator(folder)) {
    paths.push_back(item.path().native().substr(folder.native().size() + 1));
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    const std::string whole = folder.native() + "/" + path;
    struct stat s {};
    if (lstat(whole.c_str(), &s) != 0) broken(whole);
    auto& file = tree[path] = observe_path(whole, s);
    if (!S_ISDIR(s.st_mode)) file.linked_with = first.try_emplace({s.st_dev, s.st_ino}, path).first->second;
  }
  return tree;
}

observed_tree observe_tree(const image_tree& tree, const content_reader& read) {
  observed_tree observed;
  std::vector<std::string> folder_of(tree.inodes.size());  // by inode, directories only: path and '/'
  observed["."] = observe_inode(tree, tree.inodes.at(0), read);
  std::map<std::string, std::uint32_t> inode_of;
  for (const auto& directory : tree.directories) {
    for (const auto& entry : directory.entries) {
      const std::string path = folder_of.at(directory.inode) + entry.name;
      inode_of[path] = entry.inode;
      if (tree.inodes.at(entry.inode).type == file_type::directory) folder_of.at(entry.inode) = path + "/";
    }
  }
  std::map<std::uint32_t, std::string> first;
  for (const auto& [path, inode] : inode_of) {
    auto& file = observed[path] = observe_inode(tree, tree.inodes[inode], read);
    if (!S_ISDIR(file.mode)) file.linked_with = first.try_emplace(inode, path).first->second;
  }
  return observed;
}

std::vector<std::string> differences(const observed_tree& expected, const observed_tree& actual,
                                     const oracle_options& options) {
  std::vector<std::string> lines;
  comparison compare(options, lines);
  for (const auto& [path, file] : expected) {
    const auto found = actual.find(path);
    if (found == actual.end()) {
      lines.push_back(printable(path) + ": missing");
    } else {
      compare.files(path, file, found->second);
    }
  }
  for (const auto& [path, file] : actual) {
    if (!expected.contains(path)) lines.push_back(printable(path) + ": not expected");
  }
  return lines;
}

}  // namespace firstlight
