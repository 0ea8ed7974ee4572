#include "model/image_reference.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace firstlight {
namespace {

constexpr std::string_view docker_hub = "docker.io";
constexpr std::size_t tag_bytes_max = 128, repository_bytes_max = 255;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_word(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= tag_bytes_max && is_word(tag.front()) &&
         std::all_of(tag.begin(), tag.end(), [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

// Lower-case words with single '.', one or two '_', or any '-' between them.
bool is_repository_part(std::string_view part) {
  if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) return false;
  for (std::size_t i = 0; i < part.size();) {
    if (is_lower_or_digit(part[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < part.size() && part[end] == part[i]) ++end;
    const std::size_t run = end - i;
    const bool good = part[i] == '-' || (part[i] == '.' && run == 1) || (part[i] == '_' && run <= 2);
    if (!good || !is_lower_or_digit(part[end])) return false;
    i = end;
  }
  return true;
}

bool is_repository(std::string_view name) {
  if (name.size() > repository_bytes_max) return false;
  while (true) {
    const auto slash = name.find('/');
    if (!is_repository_part(name.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    name = name.substr(slash + 1);
  }
}

bool is_host(std::string_view host) {
  const auto good = [](char c) {
    return is_word(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  };
  return !host.empty() && host.front() != ':' && host.back() != ':' &&
         std::all_of(host.begin(), host.end(), good);
}

// Docker's rule: the first part is a host if it could be no folder of the hub.
bool looks_like_host(std::string_view part) {
  return part.find_first_of(".:") != std::string_view::npos || part == "localhost" ||
         std::any_of(part.begin(), part.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

tl::unexpected<error> bad(std::string_view text, std::string_view why) {
  return fail(errc::invalid_argument,
              "image '" + std::string(text.substr(0, 300)) + "': " + std::string(why));
}

void split_host(std::string_view name, image_reference& into) {
  const auto slash = name.find('/');
  if (slash != std::string_view::npos && looks_like_host(name.substr(0, slash))) {
    into.host = name.substr(0, slash);
    into.repository = name.substr(slash + 1);
  } else {
    into.host = docker_hub;
    into.repository = name;
  }
  if (into.host == "index.docker.io" || into.host == "registry-1.docker.io") into.host = docker_hub;
  if (into.host == docker_hub && into.repository.find('/') == std::string::npos) {
    into.repository = "library/" + into.repository;
  }
}

/// What follows '#': how many layers.
std::optional<std::uint32_t> layer_count(std::string_view digits) {
  std::uint32_t count = 0;
  const auto* end = digits.data() + digits.size();
  const auto [at, problem] = std::from_chars(digits.data(), end, count);
  if (digits.empty() || digits.front() == '0' || problem != std::errc() || at != end) return std::nullopt;
  return count;
}

result<image_reference> parse_registry(std::string_view text, std::string_view name) {
  image_reference reference;
  if (const auto hash = name.find('#'); hash != std::string_view::npos) {
    const auto layers = layer_count(name.substr(hash + 1));
    if (!layers) return bad(text, "what follows '#' is no number of layers, 1 or more");
    reference.layers = *layers;
    name = name.substr(0, hash);
  }
  if (const auto at = name.find('@'); at != std::string_view::npos) {
    auto pinned = parse_oci_digest(name.substr(at + 1));
    if (!pinned) return bad(text, "what follows '@' is no digest (sha256: and 64 hexadecimal digits)");
    reference.pinned = *pinned;
    name = name.substr(0, at);
  }
  const auto slash = name.rfind('/');
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    reference.tag = name.substr(colon + 1);
    if (!is_tag(reference.tag)) return bad(text, "the tag may hold letters, digits, '_', '.' and '-' only");
    name = name.substr(0, colon);
  } else if (!reference.pinned) {
    reference.tag = "latest";
  }
  split_host(name, reference);
  if (!is_host(reference.host)) return bad(text, "the registry's host is malformed");
  if (!is_repository(reference.repository)) {
    return bad(text, "the repository must be lower-case words such as library/redis");
  }
  return reference;
}

result<image_reference> parse_path(std::string_view text, image_transport transport, std::string_view rest) {
  image_reference reference;
  reference.transport = transport;
  const auto colon = rest.find(':');
  reference.path = rest.substr(0, colon);
  if (colon != std::string_view::npos) reference.tag = rest.substr(colon + 1);
  if (reference.path.empty()) return bad(text, "a path must follow the first ':'");
  if (colon != std::string_view::npos && reference.tag.empty())
    return bad(text, "a tag must follow the last ':'");
  const bool control =
      std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
  if (control) return bad(text, "control characters are not allowed");
  return reference;
}

constexpr std::array<std::pair<std::string_view, image_transport>, 3> path_prefixes{{
    {"oci:", image_transport::oci_layout},
    {"oci-archive:", image_transport::oci_archive},
    {"docker-archive:", image_transport::docker_archive},
}};

}  // namespace

std::string image_reference::text() const {
  return repository_text() + (tag.empty() ? "" : ":" + tag) + (pinned ? "@" + pinned->oci() : "") +
         (layers == 0 ? "" : "#" + std::to_string(layers));
}

std::string image_reference::repository_text() const {
  for (const auto& [prefix, of] : path_prefixes) {
    if (of == transport) return std::string(prefix) + path;
  }
  return host + "/" + repository;
}

result<image_reference> parse_image_reference(std::string_view text) {
  if (text.empty()) return fail(errc::invalid_argument, "the image's name is empty");
  for (const auto& [prefix, transport] : path_prefixes) {
    if (text.starts_with(prefix)) return parse_path(text, transport, text.substr(prefix.size()));
  }
  constexpr std::string_view docker = "docker://";
  return parse_registry(text, text.starts_with(docker) ? text.substr(docker.size()) : text);
}

}  // namespace firstlight
