#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/admin_socket_limits.hpp"
#include "config/containerd_options.hpp"
#include "config/fuse_limits.hpp"
#include "config/keeper_limits.hpp"
#include "config/link_limits.hpp"
#include "config/login_options.hpp"
#include "config/node_root_limits.hpp"
#include "config/receiver_limits.hpp"
#include "config/store_limits.hpp"
#include "config/tls_files.hpp"
#include "config/trace_limits.hpp"

namespace firstlight {

/// All settings of `firstlight node`. Defaults suit a node installed as a service; a file and the
/// command line change them (config/settings.hpp).
struct node_options {
  std::filesystem::path store_folder = "/var/lib/firstlight/node";
  std::filesystem::path run_folder = "/run/firstlight";        ///< mounts without a target of their own
  std::filesystem::path socket = "/run/firstlight/node.sock";  ///< local administration, mode 0600
  std::string hub = "localhost:7420";                          ///< host:port
  tls_files tls{.ca = "/etc/firstlight/pki/ca.crt",
                .certificate = "/etc/firstlight/pki/node.crt",
                .key = "/etc/firstlight/pki/node.key"};
  std::string platform;             ///< os/architecture[/variant]; empty: this machine's
  std::string mount_mode = "auto";  ///< auto, hybrid, overlay, fuse: of mounts for which none is asked
  std::string log_level = "info";   ///< trace, debug, info, warn, error
  std::string metrics_listen;       ///< where metrics and health are served, docs/metrics.md; empty: nowhere
  std::string admin_listen;         ///< address:port for consoles of admins on other machines; empty: none
  std::vector<std::string> revoked_nodes;  ///< "admin:NAME", "monitor:NAME"; other names say nothing here

  std::uint64_t store_bytes_max = 0;    ///< of contents; above it unused images are forgotten; 0: never
  std::uint32_t workers = 0;            ///< threads that verify and store; 0: one a core
  std::uint32_t open_files_max = 1024;  ///< contents kept open for reading
  std::uint64_t warm_heap_bytes = 16ULL << 20U;  ///< of the heap, backed with memory at the start
  link_limits link;
  admin_socket_limits admin;
  database_limits database;
  content_store_limits contents;
  catalogue_limits catalogue;
  layer_limits layers;
  fuse_limits fuse;
  keeper_limits keeper;
  receiver_limits receiver;
  node_root_limits root;
  recording_options recording;
  containerd_options containerd;
  login_options logins;
};

}  // namespace firstlight
