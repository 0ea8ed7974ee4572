#pragma once
#include "test/e2e/streamed_image.hpp"

namespace firstlight {

inline void check_good(const command_end& end) {
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
}

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// An image with a shell that needs nothing but what is in it, and the layers `above` (tars).
inline std::filesystem::path make_shell_image(
    const std::filesystem::path& layout,
    const std::string& settings = R"({"Cmd":["sh"],"Env":["PATH=/usr/bin:/bin"]})",
    const std::vector<std::string>& above = {}) {
  tar_builder tar;
  tar.folder("bin/").folder("etc/").folder("lib/").folder("lib64/").folder("tmp/", 01777);
  tar.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nguest:x:1234:1234:guest:/:/bin/sh\n");
  tar.file("bin/busybox", text_of("/usr/bin/busybox"), 0755).symlink("bin/sh", "busybox");
  for (const std::string library : {"libresolv.so.2", "libc.so.6"})
    tar.file("lib/" + library, text_of("/lib/x86_64-linux-gnu/" + library), 0755);
  tar.file("lib64/ld-linux-x86-64.so.2", text_of("/lib64/ld-linux-x86-64.so.2"), 0755);
  std::vector<std::string> layers{tar.take()};
  layers.insert(layers.end(), above.begin(), above.end());
  write_layout(layout, layers, layer_packing::gzip, "", settings);
  return layout;
}

}  // namespace firstlight
