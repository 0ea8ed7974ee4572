#include "model/platform.hpp"

#include <algorithm>

namespace firstlight {
namespace {

std::string_view effective_variant(const platform& p) {
  return p.architecture == "arm64" && p.variant.empty() ? "v8" : std::string_view(p.variant);
}

bool is_word(std::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace

std::string platform::text() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

platform host_platform() {
#if defined(__x86_64__)
  return {.os = "linux", .architecture = "amd64", .variant = ""};
#elif defined(__aarch64__)
  return {.os = "linux", .architecture = "arm64", .variant = "v8"};
#elif defined(__arm__)
  return {.os = "linux", .architecture = "arm", .variant = "v7"};
#elif defined(__i386__)
  return {.os = "linux", .architecture = "386", .variant = ""};
#elif defined(__riscv)
  return {.os = "linux", .architecture = "riscv64", .variant = ""};
#elif defined(__powerpc64__)
  return {.os = "linux", .architecture = "ppc64le", .variant = ""};
#elif defined(__s390x__)
  return {.os = "linux", .architecture = "s390x", .variant = ""};
#else
#error "name this architecture as Go does"
#endif
}

result<platform> parse_platform(std::string_view text) {
  if (text.empty()) return host_platform();
  const auto bad = [text] {
    return fail(errc::invalid_argument,
                "platform '" + std::string(text) + "' is not OS/ARCHITECTURE[/VARIANT], such as linux/arm64");
  };
  const auto first = text.find('/');
  if (first == std::string_view::npos) return bad();
  const auto second = text.find('/', first + 1);
  const auto variant = second == std::string_view::npos ? std::string_view{} : text.substr(second + 1);
  const platform parsed{.os = std::string(text.substr(0, first)),
                        .architecture = std::string(text.substr(first + 1, second - first - 1)),
                        .variant = std::string(variant)};
  const bool variant_good = second == std::string_view::npos || is_word(parsed.variant);
  if (!is_word(parsed.os) || !is_word(parsed.architecture) || !variant_good) return bad();
  return parsed;
}

int suitability(const platform& offered, const platform& wanted) {
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) return 0;
  if (effective_variant(offered) == effective_variant(wanted)) return 3;
  if (offered.variant.empty()) return 2;
  return wanted.variant.empty() ? 1 : 0;
}

}  // namespace firstlight
