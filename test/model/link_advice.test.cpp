#include "model/link_advice.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {
bool names(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("a link that BBR serves needs no advice") {
  CHECK(link_advice("worker-1", {"bbr", true}).empty());
}

TEST_CASE("a link without BBR is advised all that makes it fast after a pause, as commands") {
  const auto text = link_advice("worker-1", {"cubic", true});
  CHECK(text.starts_with("worker-1 is served with cubic"));
  CHECK(names(text, "'modprobe tcp_bbr'"));
  CHECK(names(text, "'sysctl -w net.ipv4.tcp_slow_start_after_idle=0; ip route change"));
  CHECK(names(text, "initcwnd 64'"));
  CHECK_FALSE(names(text, "\n"));
}

TEST_CASE("what is set already is not advised") {
  const auto text = link_advice("worker-1", {"cubic", false});
  CHECK_FALSE(names(text, "tcp_slow_start_after_idle"));
  CHECK(names(text, "'modprobe tcp_bbr'"));
  CHECK(names(text, "'ip route change"));
}
