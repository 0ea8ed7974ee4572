#pragma once
#include <filesystem>
#include <string>
#include <type_traits>

#include "apps/command.hpp"
#include "config/settings.hpp"

namespace firstlight {

/// `daemon` is "hub" or "node": only hubs have --peer.
void add_settings_options(CLI::App& command, settings_arguments& in, const std::string& daemon);

/// Defaults, then the file, then --set in their order, then --peer, then validated. Errors: those of
/// config/settings.hpp.
template <class Options>
[[nodiscard]] result<Options> load_settings(const settings_arguments& in) {
  Options options;
  std::error_code problem;
  const bool named = !in.file.empty();
  if (named || std::filesystem::exists(in.default_file, problem)) {
    if (const auto done = apply_file(options, named ? in.file : in.default_file); !done)
      return tl::unexpected(done.error());
  }
  for (const auto& assignment : in.assignments) {
    if (const auto done = apply_assignment(options, assignment); !done) return fail(done.error(), "--set");
  }
  if constexpr (std::is_same_v<Options, hub_options>)
    for (const auto& peer : in.peers)
      if (std::find(options.peers.begin(), options.peers.end(), peer) == options.peers.end())
        options.peers.push_back(peer);
  if (const auto done = validate(options); !done) return tl::unexpected(done.error());
  return options;
}

}  // namespace firstlight
