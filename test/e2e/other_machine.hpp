#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/e2e/streamed_image.hpp"

/// For tests of what a daemon serves to other machines: a port, and certificates of who asks there.
namespace firstlight {

/// Nobody has it now, and the kernel does not give it out again soon.
inline std::string free_port() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(descriptor);
  return std::to_string(ntohs(address.sin_port));
}

/// Has a certificate of the cluster issued. @returns its file's name in the folder "pki", without ".crt"
inline std::string issued(cluster& all, const std::string& role, const std::string& name) {
  REQUIRE(
      all.run({cluster::program(), "pki", "issue", role, name, "--folder", (all.folder() / "pki").string()})
          ->wait(std::chrono::seconds(20)) == program_end{0, 0});
  return role + "-" + name;
}

}  // namespace firstlight
