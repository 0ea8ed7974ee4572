#include "config/settings.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "config/bindings.hpp"
#include "model/nearest.hpp"

namespace firstlight {
namespace {

constexpr std::size_t config_file_bytes_max = 1U << 20U;

using json = nlohmann::ordered_json;

tl::unexpected<error> unknown(std::string_view name, const std::vector<detail::binding>& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  const auto near = nearest(name, names);
  return fail(errc::invalid_argument, "there is no setting '" + std::string(name) + "'" +
                                          (near.empty() ? "; 'firstlight config reference' lists them all"
                                                        : "; did you mean '" + near + "'?"));
}

result<void> change_in(const std::vector<detail::binding>& all, std::string_view name,
                       std::string_view value) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
  if (found == all.end()) return unknown(name, all);
  const auto done = found->set(value);
  return done ? done : fail(done.error(), "setting " + found->name);
}

/// A JSON value as the text that `change` takes; arrays of texts become lists.
result<std::string> scalar_text(const json& value, const std::string& name) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_unsigned() || value.is_boolean()) return value.dump();
  if (value.is_array() &&
      std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_string(); })) {
    std::string text;
    for (const auto& item : value) text += (text.empty() ? "" : ",") + item.get<std::string>();
    return text;
  }
  return fail(errc::invalid_argument,
              "setting " + name + ": must be a text, a whole number, true, false or a list of texts");
}

result<void> apply_object(const std::vector<detail::binding>& all, const json& object,
                          const std::string& prefix) {
  for (const auto& [key, value] : object.items()) {
    const auto name = prefix + key;
    if (value.is_object()) {
      if (auto done = apply_object(all, value, name + "."); !done) return done;
      continue;
    }
    const auto text = scalar_text(value, name);
    if (!text) return tl::unexpected(text.error());
    if (auto done = change_in(all, name, *text); !done) return done;
  }
  return {};
}

/// Where "a.b.c" lives in a nested object.
json& place(json& root, std::string_view name) {
  auto* at = &root;
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    at = &(*at)[std::string(name.substr(0, dot))];
    name.remove_prefix(dot + 1);
  }
  return (*at)[std::string(name)];
}

json json_value(const detail::binding& one) {
  const auto text = one.get();
  if (one.kind == "count") return std::stoull(text);
  if (one.kind == "switch") return text == "true";
  if (one.kind != "list") return text;
  auto items = json::array();
  for (std::size_t at = 0; at < text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    items.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return items;
}

template <class Options>
json nested(const Options& options) {
  auto copy = options;
  json root = json::object();
  for (const auto& one : detail::bindings_of(copy)) place(root, one.name) = json_value(one);
  return root;
}

}  // namespace

template <class Options>
std::vector<setting> describe(const Options& options) {
  auto copy = options;
  std::vector<setting> settings;
  for (const auto& one : detail::bindings_of(copy))
    settings.push_back({one.name, one.kind, one.get(), one.doc});
  return settings;
}

template <class Options>
result<void> change(Options& options, std::string_view name, std::string_view value) {
  return change_in(detail::bindings_of(options), name, value);
}

template <class Options>
result<void> apply_assignment(Options& options, std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return fail(errc::invalid_argument, "'" + std::string(assignment) + "' must be NAME=VALUE");
  }
  return change(options, assignment.substr(0, equals), assignment.substr(equals + 1));
}

template <class Options>
result<void> apply_json(Options& options, std::string_view text) {
  json parsed;
  try {
    parsed = json::parse(text, nullptr, /*allow_exceptions=*/true, /*ignore_comments=*/true);
  } catch (const json::exception& problem) {
    return fail(errc::invalid_argument, std::string("no valid JSON: ") + problem.what());
  }
  if (!parsed.is_object()) return fail(errc::invalid_argument, "must be one JSON object: { ... }");
  return apply_object(detail::bindings_of(options), parsed, "");
}

template <class Options>
result<void> apply_file(Options& options, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    const bool absent = errno == ENOENT;
    const std::string reason = std::strerror(errno);
    return absent ? fail(errc::not_found, "no config file " + file.string())
                  : fail(errc::io, file.string() + ": " + reason);
  }
  std::string text(config_file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return fail(errc::io, "cannot read " + file.string());
  if (text.size() > config_file_bytes_max)
    return fail(errc::limit_exceeded, file.string() + " is larger than 1 MiB");
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return {};
  const auto done = apply_json(options, text);
  return done ? done : fail(done.error(), file.string());
}

template <class Options>
std::string to_json_file(const Options& options) {
  return nested(options).dump(2) + "\n";
}

template <class Options>
std::string to_json_line(const Options& options) {
  return nested(options).dump();
}

template <class Options>
std::string describe_as_json(const Options& options) {
  auto all = json::array();
  for (const auto& one : describe(options))
    all.push_back({{"name", one.name}, {"kind", one.kind}, {"value", one.value}, {"doc", one.doc}});
  return all.dump();
}

result<host_and_port> split_address(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto port = colon == std::string_view::npos ? result<std::uint64_t>(fail(errc::invalid_argument, ""))
                                                    : parse_count(text.substr(colon + 1), 65'535);
  auto host = text.substr(0, std::min(colon, text.size()));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(errc::invalid_argument,
                "'" + std::string(text) + "': write an IPv6 address as [ADDRESS]:PORT");
  }
  if (!port || host.empty()) {
    return fail(errc::invalid_argument,
                "'" + std::string(text) + "' must be HOST:PORT, as in hub.example.org:7420");
  }
  return host_and_port{std::string(host), static_cast<std::uint16_t>(*port)};
}

#define FIRSTLIGHT_SETTINGS_OF(Options)                                       \
  template std::vector<setting> describe(const Options&);                     \
  template result<void> change(Options&, std::string_view, std::string_view); \
  template result<void> apply_assignment(Options&, std::string_view);         \
  template result<void> apply_json(Options&, std::string_view);               \
  template result<void> apply_file(Options&, const std::filesystem::path&);   \
  template std::string to_json_file(const Options&);                          \
  template std::string to_json_line(const Options&);                          \
  template std::string describe_as_json(const Options&);
FIRSTLIGHT_SETTINGS_OF(hub_options)
FIRSTLIGHT_SETTINGS_OF(node_options)

}  // namespace firstlight
