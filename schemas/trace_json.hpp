#pragma once
#include <string>
#include <string_view>

#include "model/trace_collection.hpp"

/// The JSON forms of traces that other tools read and write. Source: Starlight (NSDI 2022).
namespace firstlight {

/// What a trace file says; it has neither id nor blocks.
struct trace_file {
  std::string group;
  named_image image;
  std::chrono::nanoseconds started{0};  ///< since the epoch
  std::vector<group_access> accesses;   ///< paths, accesses and waits as they stand there; no ranks
  friend bool operator==(const trace_file&, const trace_file&) = default;
};

/// {"group":…,"image":{"n":…,"t":…},"start":RFC 3339,"seq":[{"f":…,"a":ns,"w":ns},…]}
[[nodiscard]] std::string trace_file_json(const trace_file& file);
/// Errors: `corrupt`, naming the member; numbers must be whole.
[[nodiscard]] result<trace_file> parse_trace_file(std::string_view text);

/// {"Groups":[{"h":[{"f","a","w","r","s"},…],"i":[{"n","t"},…]},…]}
[[nodiscard]] std::string collection_json(const std::vector<optimised_group>& groups);
/// Errors: `corrupt`; also if an access names an image that its group does not have.
[[nodiscard]] result<std::vector<optimised_group>> parse_collection(std::string_view text);

/// Whether a text is a collection rather than a trace file.
[[nodiscard]] bool is_collection(std::string_view text);

/// "2026-01-02T03:04:05.000000006Z"
[[nodiscard]] std::string rfc3339(std::chrono::nanoseconds since_epoch);
/// With any offset from UTC and up to nine digits of a second. Errors: `corrupt`.
[[nodiscard]] result<std::chrono::nanoseconds> parse_rfc3339(std::string_view text);

}  // namespace firstlight
