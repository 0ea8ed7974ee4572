#pragma once
#include "test/e2e/slow_image.hpp"

/// What tests of Kubernetes' side of containerd share.
namespace firstlight {

/// What a call gives that has to succeed.
inline std::string good(const cri_said& said) {
  INFO(said.errors);
  REQUIRE(said.good);
  return said.value;
}

/// Its shell sleeps: a pod's first program only has to stay.
inline void push_pause(containerd_daemon& engine, cluster& all) {
  tar_builder tar;
  tar.folder("bin/").folder("lib/").folder("lib64/");
  tar.file("bin/busybox", text_of("/usr/bin/busybox"), 0755);
  tar.file("bin/sh", "#!/bin/busybox sh\nexec /bin/busybox sleep 1000000\n", 0755);
  for (const std::string library : {"libresolv.so.2", "libc.so.6"})
    tar.file("lib/" + library, text_of("/lib/x86_64-linux-gnu/" + library), 0755);
  tar.file("lib64/ld-linux-x86-64.so.2", text_of("/lib64/ld-linux-x86-64.so.2"), 0755);
  write_layout(all.folder() / "pause", {tar.take()});
  REQUIRE(engine.push(all.folder() / "pause", "pause:1") == engine.pause_image());
}

/// Starts a container that only stays. @returns its id
inline std::string start_idle(cri_client& kubelet, const std::string& pod, const std::string& image) {
  const auto id = good(kubelet.create(pod, image, idle));
  return good(kubelet.start(id));
}

}  // namespace firstlight
