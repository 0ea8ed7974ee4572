#pragma once
#include <span>

#include "storage/sha256.hpp"
#include "test/e2e/shell_image.hpp"
#include "test/harness/cluster/containerd.hpp"

/// What tests of containers share.
namespace firstlight {

inline void check_good(const program_said& end) {
  INFO(end.output << end.errors);
  REQUIRE(end.exit_code == 0);
}

/// A layer of programs that start at once.
inline std::string shell_layer() {
  tar_builder shell;
  shell.folder("bin/").folder("etc/").folder("lib/").folder("lib64/").folder("tmp/", 01777);
  shell.file("bin/busybox", text_of("/usr/bin/busybox"), 0755).symlink("bin/sh", "busybox");
  for (const std::string applet :
       {"cat", "ls", "rm", "mv", "chmod", "wc", "sha256sum", "sleep", "true", "httpd", "wget"})
    shell.symlink("bin/" + applet, "busybox");
  shell.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n").file("etc/debian_version", "12\n");
  for (const std::string library : {"libresolv.so.2", "libc.so.6"})
    shell.file("lib/" + library, text_of("/lib/x86_64-linux-gnu/" + library), 0755);
  shell.file("lib64/ld-linux-x86-64.so.2", text_of("/lib64/ld-linux-x86-64.so.2"), 0755);
  return shell.take();
}

/// Those programs, and above them data that takes its time on a slow link: eight files of 1 MiB, of which the
/// first `data_changed` are others with another seed.
inline std::filesystem::path make_slow_image(const std::filesystem::path& layout, std::uint64_t seed = 7,
                                             int data_changed = 8) {
  tar_builder data;
  data.folder("data/");
  for (int file = 0; file < 8; ++file)
    data.file("data/f" + std::to_string(file),
              incompressible((file < data_changed ? seed : 7) + static_cast<std::uint64_t>(file), 1U << 20U));
  write_layout(layout, {shell_layer(), data.take()});
  return layout;
}

/// What `sha256sum` prints of all data of a slow image of this seed.
inline std::string hash_of_data(std::uint64_t seed = 7) {
  std::string all;
  for (std::uint64_t file = 0; file < 8; ++file) all += incompressible(seed + file, 1U << 20U);
  return sha256(std::as_bytes(std::span(all))).hex() + "  -\n";
}

inline const std::vector<std::string> idle{"/bin/sleep", "1000000"};
inline std::vector<std::string> shell(const std::string& line) {
  return {"/bin/sh", "-c", line};
}
inline const auto hash_data = shell("cat /data/* | sha256sum");

}  // namespace firstlight
