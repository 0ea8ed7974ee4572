#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/access_options.hpp"
#include "config/admin_socket_limits.hpp"
#include "config/ingest_limits.hpp"
#include "config/link_limits.hpp"
#include "config/plan_limits.hpp"
#include "config/segment_limits.hpp"
#include "config/store_limits.hpp"
#include "config/tls_files.hpp"
#include "config/trace_limits.hpp"
#include "model/room_refusals.hpp"

namespace firstlight {

/// All settings of `firstlight hub`. Defaults suit a hub installed as a service; a file and the
/// command line change them (config/settings.hpp).
struct hub_options {
  std::filesystem::path store_folder = "/var/lib/firstlight/hub";
  std::filesystem::path socket = "/run/firstlight/hub.sock";  ///< local administration, mode 0600
  std::string listen = "0.0.0.0:7420";  ///< address:port for nodes; port 0: any free one
  std::filesystem::path address_file;   ///< the bound address is written here; empty: nowhere
  tls_files tls{.ca = "/etc/firstlight/pki/ca.crt",
                .certificate = "/etc/firstlight/pki/hub.crt",
                .key = "/etc/firstlight/pki/hub.key"};
  std::vector<std::string> revoked_nodes;  ///< certificate names; "admin:NAME", "monitor:NAME"
  std::string log_level = "info";          ///< trace, debug, info, warn, error
  std::vector<std::string> peers;  ///< host:port of other hubs, with which traces are exchanged both ways
  std::string metrics_listen;      ///< where metrics and health are served, docs/metrics.md; empty: nowhere

  std::filesystem::path docker_config;  ///< credentials for registries; empty: $DOCKER_CONFIG, then ~/.docker
  std::vector<std::string>
      plain_http_registries;  ///< host[:port] reached without TLS; loopback always may be
  std::chrono::milliseconds tag_check_interval{60'000};  ///< a tag is looked up at most once in this time

  std::uint64_t store_bytes_max = 0;                      ///< of contents; 0: as much as the disk has
  room_refusal_limits refusals;                           ///< of images that had no room below that
  std::uint64_t segment_cache_bytes_max = 8ULL << 30U;    ///< compressed segments kept for the next node
  std::uint32_t workers = 0;                              ///< threads that compress; 0: one a core
  std::uint32_t ingestions_max = 2;                       ///< images that are read at once; others wait
  std::uint32_t tag_looks_max = 8;                        ///< tags of known images that are looked up at once
  std::uint32_t tag_looks_per_host_max = 4;               ///< of them in one registry
  std::chrono::milliseconds image_removal_wait{600'000};  ///< of a removal, until no image is being added
  std::chrono::milliseconds image_removal_patience{60'000};  ///< of a removal, until new images wait for it
  std::chrono::milliseconds image_removal_hold{30'000};      ///< for so long these wait; 0: not at all
  std::uint32_t open_files_max = 512;                        ///< contents kept open for reading
  link_limits link;
  admin_socket_limits admin;
  database_limits database;
  content_store_limits contents;
  catalogue_limits catalogue;
  ingest_limits ingest;
  registry_limits registry;
  access_options access;
  hub_plan_limits plan;
  learning_options learning;
  segment_limits segment;
};

}  // namespace firstlight
