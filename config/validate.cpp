#include <sys/un.h>

#include <algorithm>
#include <array>
#include <set>

#include "config/settings.hpp"
#include "model/mount_mode.hpp"

namespace firstlight {
namespace {

constexpr std::size_t socket_path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;
/// It is bound in a folder beside, whose name is longer.
constexpr std::size_t containerd_socket_bytes_max = socket_path_bytes_max - 16;

result<void> require(bool good, std::string what) {
  if (!good) return fail(errc::invalid_argument, std::move(what));
  return {};
}

result<void> first_failure(std::initializer_list<result<void>> checks) {
  const auto failed = std::find_if(checks.begin(), checks.end(), [](const auto& check) { return !check; });
  return failed == checks.end() ? result<void>() : *failed;
}

result<void> level(const std::string& name) {
  constexpr std::array known{"trace", "debug", "info", "warn", "error"};
  return require(std::find(known.begin(), known.end(), name) != known.end(),
                 "setting log_level: '" + name + "' is none of trace, debug, info, warn, error");
}

result<void> way_to_mount(const std::string& name) {
  const auto mode = parse_mount_mode(name);
  return mode ? result<void>() : fail(mode.error(), "setting mount_mode");
}

result<void> address(const char* name, const std::string& value) {
  const auto parts = split_address(value);
  if (!parts) return fail(parts.error(), std::string("setting ") + name);
  return {};
}

result<void> addresses(const char* name, const std::vector<std::string>& values) {
  for (const auto& value : values)
    if (auto good = address(name, value); !good) return good;
  return {};
}

result<void> recording_mode(const std::string& name) {
  return require(name == "always" || name == "first" || name == "never",
                 "setting recording.mode: '" + name + "' is none of always, first, never");
}

/// A UNIX socket, or an address that is served with TLS.
result<void> metrics_place(const std::string& value) {
  if (value.empty()) return {};
  if (value.front() == '/')
    return require(value.size() <= socket_path_bytes_max,
                   "setting metrics_listen: a socket's path has at most " +
                       std::to_string(socket_path_bytes_max) + " bytes");
  return address("metrics_listen", value);
}

/// Containerd takes the options of a mount apart at these letters, and so does overlayfs: it would mount
/// something else, or nothing.
result<void> mounted_by_containerd(const node_options& o, const char* name,
                                   const std::filesystem::path& folder) {
  return require(o.containerd.socket.empty() || folder.string().find_first_of(",:\\") == std::string::npos,
                 std::string("setting ") + name + ": has ',', ':' or '\\' in " + folder.string() +
                     ", which the mounts of containerd's snapshots cannot name; choose another folder, or no "
                     "containerd.socket");
}

template <class Options>
result<void> common(const Options& o) {
  return first_failure({
      require(o.store_folder.is_absolute(), "setting store_folder: must be an absolute path"),
      require(o.socket.is_absolute() && o.socket.string().size() <= socket_path_bytes_max,
              "setting socket: must be an absolute path of at most " + std::to_string(socket_path_bytes_max) +
                  " bytes"),
      level(o.log_level),
      metrics_place(o.metrics_listen),
      require(o.link.backoff_first.count() > 0 && o.link.backoff_first <= o.link.backoff_max,
              "setting link.backoff_first: must be above 0 and at most link.backoff_max"),
      require(o.link.silence_max.count() >= 1000, "setting link.silence_max: must be at least 1s"),
      require(o.link.bulk_connections > 0, "setting link.bulk_connections: must be at least 1"),
      require(o.link.opening_connections <= 12, "setting link.opening_connections: must be at most 12"),
      require(o.workers <= 256, "setting workers: must be at most 256"),
  });
}

}  // namespace

result<void> validate(const hub_options& o) {
  return first_failure({
      common(o),
      address("listen", o.listen),
      addresses("peers", o.peers),
      require(o.access.check == "always" || o.access.check == "never",
              "setting access.check: '" + o.access.check + "' is none of always, never"),
      require(o.image_removal_patience.count() > 0, "setting image_removal_patience: must be above 0"),
      require(
          o.access.questions_max > 0 && o.access.questions_max <= 64 && o.access.attempts_max > 0 &&
              o.access.questions_per_host_max > 0 && o.access.times.entries_max > 0,
          "settings access.questions_max (at most 64), questions_per_host_max, attempts_max, entries_max: "
          "must be above 0"),
      require(o.link.message_bytes_max > 2 * std::uint64_t{o.plan.cut.patch_piece_bytes} &&
                  o.link.message_bytes_max > 2 * std::uint64_t{o.plan.cut.segment_bytes_max},
              "setting link.message_bytes_max: must be above twice plan.segment_bytes_max and "
              "plan.patch_piece_bytes"),
      require(o.plan.cut.first_segment_bytes <= o.plan.cut.segment_bytes_max,
              "setting plan.first_segment_bytes: must be at most plan.segment_bytes_max"),
      require(o.plan.credit.window_bytes_min <= o.plan.credit.window_bytes_max,
              "setting plan.credit.window_bytes_min: must be at most plan.credit.window_bytes_max"),
      require(o.plan.credit.gain_percent > 100, "setting plan.credit.gain_percent: must be above 100"),
      require(o.segment.dense_level <= 19, "setting plan.dense.level: must be at most 19"),
      require(o.learning.selection.half_weight_after > 0 &&
                  o.learning.selection.traces_per_node_and_day > 0 && o.learning.selection.traces_max > 0,
              "setting learning.half_weight_after, traces_max, traces_per_node_and_day: must be above 0"),
      require(o.learning.peer_calls_max > 0 && o.learning.peer_calls_max < 32,
              "setting learning.peer_calls_max: must be 1 to 31, which is what another hub takes"),
      require(std::set(o.peers.begin(), o.peers.end()).size() == o.peers.size(),
              "setting peers: names a hub twice"),
  });
}

result<void> validate(const node_options& o) {
  return first_failure({
      require(
          o.containerd.socket.empty() || (o.containerd.socket.is_absolute() &&
                                          o.containerd.socket.string().size() <= containerd_socket_bytes_max),
          "setting containerd.socket: must be an absolute path of at most " +
              std::to_string(containerd_socket_bytes_max) + " bytes, or empty"),
      require(o.containerd.listed_at_once_max > 0 && o.containerd.mount_retry.count() > 0 &&
                  o.containerd.forget_retry_max.count() > 0 && o.containerd.fallbacks_max > 0,
              "settings containerd.listed_at_once_max, mount_retry, forget_retry_max and fallbacks_max: must "
              "be above 0"),
      require(o.logins.provider_config.empty() || !o.logins.provider_folder.empty(),
              "setting logins.provider_config: wants logins.provider_folder, too"),
      require(o.logins.requests_max > 0, "setting logins.requests_max: must be above 0"),
      common(o),
      address("hub", o.hub),
      o.admin_listen.empty() ? result<void>() : address("admin_listen", o.admin_listen),
      require(o.run_folder.is_absolute(), "setting run_folder: must be an absolute path"),
      mounted_by_containerd(o, "store_folder", o.store_folder),
      mounted_by_containerd(o, "run_folder", o.run_folder),
      way_to_mount(o.mount_mode),
      recording_mode(o.recording.mode),
      require(o.recording.check_interval.count() > 0, "setting recording.check_interval: must be above 0"),
      require(o.fuse.loop_threads >= 1 && o.fuse.loop_threads <= 64,
              "setting fuse.loop_threads: must be 1 to 64"),
      require(o.warm_heap_bytes <= 1ULL << 30U, "setting warm_heap_bytes: must be at most 1 GiB"),
      require(o.keeper.answer_timeout.count() > 0, "setting keeper.answer_timeout: must be above 0"),
      require(o.receiver.checkpoint_interval.count() >= 100,
              "setting checkpoint_interval: must be at least 100ms"),
  });
}

}  // namespace firstlight
