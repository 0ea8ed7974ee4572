#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/hub_options.hpp"
#include "config/node_options.hpp"
#include "model/result.hpp"

/// The daemons' settings by name: files, --set, documentation and examples all come from one table
/// (config/bindings.hpp). `Options` is `hub_options` or `node_options`. No state; any thread.
namespace firstlight {

/// One setting as it stands.
struct setting {
  std::string name;   ///< dotted, e.g. "link.silence_max"
  std::string kind;   ///< "text", "path", "list", "duration", "size", "count"
  std::string value;  ///< as it may be written in a file, e.g. "10s"
  std::string doc;    ///< one sentence
};

/// Every setting with its current value, in the order of the reference.
template <class Options>
[[nodiscard]] std::vector<setting> describe(const Options& options);

/// Changes one setting from text, e.g. ("link.silence_max", "10s"). Lists are separated by commas.
/// Errors: `invalid_argument`: an unknown name (with the nearest known one) or a value that does not parse.
template <class Options>
[[nodiscard]] result<void> change(Options& options, std::string_view name, std::string_view value);

/// Applies "name=value", as --set has it. Errors: as `change`.
template <class Options>
[[nodiscard]] result<void> apply_assignment(Options& options, std::string_view assignment);

/// Applies the text of a JSON file: objects nest names, {"link": {"silence_max": "10s"}}. Comments are
/// allowed. Errors: as `change`, and `invalid_argument` with the line for what is no JSON.
template <class Options>
[[nodiscard]] result<void> apply_json(Options& options, std::string_view text);

/// Reads and applies a file; an empty one changes nothing. Errors: `not_found`, `io`, `limit_exceeded` above
/// 1 MiB, those of `apply_json`, each with the file's name.
template <class Options>
[[nodiscard]] result<void> apply_file(Options& options, const std::filesystem::path& file);

/// Says what cannot work together or at all. Errors: `invalid_argument`, naming the setting.
[[nodiscard]] result<void> validate(const hub_options& options);
[[nodiscard]] result<void> validate(const node_options& options);

/// The values as a JSON file that `apply_json` reads back to equal values, nested and indented.
template <class Options>
[[nodiscard]] std::string to_json_file(const Options& options);

/// The same on one line.
template <class Options>
[[nodiscard]] std::string to_json_line(const Options& options);

/// What `describe` says on one line of JSON: [{"name","kind","value","doc"}].
template <class Options>
[[nodiscard]] std::string describe_as_json(const Options& options);

/// Splits "host:port" or "[v6]:port". Errors: `invalid_argument`.
struct host_and_port {
  std::string host;
  std::uint16_t port = 0;
};
[[nodiscard]] result<host_and_port> split_address(std::string_view text);

}  // namespace firstlight
