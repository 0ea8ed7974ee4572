#pragma once
#include "test/e2e/shell_image.hpp"
#include "test/harness/cluster/containerd.hpp"

/// What tests of containers share.
namespace firstlight {

inline void check_good(const program_said& end) {
  INFO(end.output << end.errors);
  REQUIRE(end.exit_code == 0);
}

/// Programs that start at once, and data that takes its time on a slow link: eight files of 1 MiB, of which
/// the first `data_changed` are others with another seed.
inline std::filesystem::path make_slow_image(const std::filesystem::path& layout, std::uint64_t seed = 7,
                                             int data_changed = 8) {
  tar_builder data;
  data.folder("data/");
  for (int file = 0; file < 8; ++file)
    data.file("data/f" + std::to_string(file),
              incompressible((file < data_changed ? seed : 7) + static_cast<std::uint64_t>(file), 1U << 20U));
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
  write_layout(layout, {shell.take(), data.take()});
  return layout;
}

inline const std::vector<std::string> idle{"/bin/sleep", "1000000"};
inline std::vector<std::string> shell(const std::string& line) {
  return {"/bin/sh", "-c", line};
}

}  // namespace firstlight
