#pragma once
#include <cstdint>
#include <string>
#include <vector>

/// What daemons report to their users: the parts that the replies of schemas/admin.hpp are made of.
/// Times are Unix seconds unless the name says otherwise; digests are 64 hexadecimal digits; a text
/// that does not apply is empty.
namespace firstlight {

/// One image in the hub's catalogue.
struct admin_image {
  std::string reference;               ///< as it was added, e.g. "docker.io/library/redis:7"
  std::string platform;                ///< os/architecture[/variant]
  std::string manifest;                ///< digest of the image manifest
  std::string toc;                     ///< digest of the table of contents
  std::string source;                  ///< where it came from: "registry", "oci:DIR", "oci-archive:FILE", ...
  std::uint64_t compressed_bytes = 0;  ///< of all layers, as the registry has them
  std::uint64_t content_bytes = 0;     ///< of all files, each equal one once
  std::uint64_t toc_bytes = 0;
  std::uint32_t files = 0;  ///< inodes of the merged tree
  std::uint32_t layers = 0;
  std::int64_t added_at = 0;
  std::int64_t checked_at = 0;  ///< when the registry last confirmed the tag; 0: never asked
  bool last_known = false;      ///< the registry was away at the last check
  std::string last_error;       ///< why, of the last check
  friend bool operator==(const admin_image&, const admin_image&) = default;
};

/// One layer of an image, as its source has it.
struct admin_image_layer {
  std::string digest;
  std::uint64_t bytes = 0;
  std::string media_type;
  friend bool operator==(const admin_image_layer&, const admin_image_layer&) = default;
};

/// One transfer from the hub to a node, as either side sees it.
struct admin_delivery {
  std::uint64_t id = 0;
  std::string reference;
  std::string platform;
  std::string toc;
  std::string state;  ///< "resolving", "receiving", "waiting for the link", "complete", "failed", "cancelled"
  std::string stage;  ///< of a resolving one: what the hub does, e.g. "fetching layer 2 of 5"
  std::uint64_t bytes_received = 0;  ///< on the wire: frames with their proofs and the TOC
  std::uint64_t bytes_stored = 0;    ///< unpacked and verified
  std::uint64_t bytes_total = 0;     ///< unpacked bytes that the delivery brings at most
  std::uint32_t segments_received = 0;
  std::uint32_t segments_total = 0;
  std::uint64_t rate_bytes_per_second = 0;  ///< on the wire, over the last second; of an ended one over all
  std::uint32_t wants = 0;                  ///< runs of blocks asked for out of turn
  std::uint32_t verification_failures = 0;  ///< segments that did not match and were asked for again
  std::uint64_t elapsed_ms = 0;             ///< until now, or until it ended
  bool last_known = false;                  ///< the tag's last known meaning was used
  std::string error;                        ///< of a failed one
  friend bool operator==(const admin_delivery&, const admin_delivery&) = default;
};

/// One request of a program that waits for blocks right now.
struct admin_waiting {
  std::uint32_t pid = 0;
  std::string path;  ///< in the image; bytes that are not UTF-8 are shown as U+FFFD
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
  std::uint64_t waiting_ms = 0;
  std::string cause;  ///< what it waits for, e.g. "3 blocks, asked for", "the link"
  friend bool operator==(const admin_waiting&, const admin_waiting&) = default;
};

/// One mount of a node.
struct admin_mount {
  std::string name;
  std::string target;
  std::string reference;
  std::string platform;
  std::string toc;
  std::string method;  ///< "overlay on FUSE", "read-only FUSE"
  bool read_only = false;
  bool complete = false;          ///< all contents are there; false: lazy
  std::uint64_t bytes_ready = 0;  ///< of contents that are there
  std::uint64_t bytes_total = 0;
  std::uint64_t requests = 0;  ///< of every kind that the kernel sent to FUSE
  std::uint64_t reads = 0;     ///< read requests that the kernel sent
  std::uint64_t read_bytes = 0;
  std::uint64_t waits = 0;   ///< read requests that had to wait for a block
  std::uint64_t misses = 0;  ///< blocks that had not arrived when they were first read
  std::uint64_t wait_longest_ms = 0;
  std::uint64_t wait_total_ms = 0;
  std::uint32_t failed_blocks = 0;  ///< blocks that will not come: their readers get EIO
  std::string last_error;           ///< why
  std::vector<admin_waiting> waiting;
  std::int64_t mounted_at = 0;
  std::string mode;      ///< "hybrid", "overlay" or "fuse"
  std::string fallback;  ///< why this way of mounting and not a better one; empty if it is the best
  std::uint64_t opens_through = 0;  ///< open files that the kernel serves from a backing file (passthrough)
  std::uint64_t opens_by_fuse = 0;  ///< those that it asks FUSE about, where passthrough would be possible
  std::string lower;  ///< of one for overlays: the lowest part of their lowerdir, as overlayfs wants it
  /// That nothing more arrives on it though programs use it, and what helps; empty: it works.
  std::string failure;
  friend bool operator==(const admin_mount&, const admin_mount&) = default;
};

/// One image that a node holds, whole or in part.
struct admin_node_image {
  std::string reference;
  std::string platform;
  std::string manifest;
  std::string toc;
  bool complete = false;
  std::uint64_t bytes_ready = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint32_t files = 0;
  std::uint32_t mounts = 0;
  std::int64_t last_used_at = 0;
  friend bool operator==(const admin_node_image&, const admin_node_image&) = default;
};

/// The node's connection to its hub.
struct admin_link {
  std::string state;  ///< "up", "connecting", "down"
  std::string peer;   ///< name in the hub's certificate
  std::string address;
  std::string last_error;
  std::uint32_t reconnects = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t padding_bytes = 0;
  std::uint32_t bulk_connections = 0;
  std::string congestion_control;
  std::uint64_t round_trip_us = 0;
  friend bool operator==(const admin_link&, const admin_link&) = default;
};

/// One joined node, as the hub sees it.
struct admin_session {
  std::string name;  ///< in its certificate
  std::string address;
  std::string version;
  std::int64_t joined_at = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_in_flight = 0;
  std::uint64_t credit_bytes = 0;
  std::uint64_t round_trip_us = 0;
  std::uint32_t bulk_connections = 0;
  std::string congestion_control;
  std::vector<admin_delivery> deliveries;
  friend bool operator==(const admin_session&, const admin_session&) = default;
};

/// One image on its way into the hub.
struct admin_ingestion {
  std::string reference;
  std::string platform;
  std::string stage;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t elapsed_ms = 0;
  friend bool operator==(const admin_ingestion&, const admin_ingestion&) = default;
};

/// What a node keeps for containerd.
struct admin_snapshots {
  std::string socket;  ///< empty: it serves none
  std::uint32_t count = 0;
  std::uint32_t remote = 0;    ///< layers that the hub delivers
  std::uint64_t prepared = 0;  ///< layers that containerd need not download, since the node was started
  std::uint64_t fallbacks =
      0;  ///< times that containerd downloaded an image instead, since the node was started
  std::string last_fallback;  ///< which and why
  friend bool operator==(const admin_snapshots&, const admin_snapshots&) = default;
};

/// One entry of the layer store.
struct admin_layer {
  std::string key;   ///< what it was registered as, e.g. a chain id
  std::string path;  ///< absolute
  bool writable = false;
  bool complete = false;
  std::uint32_t references = 0;
  std::int64_t last_used_at = 0;
  friend bool operator==(const admin_layer&, const admin_layer&) = default;
};

}  // namespace firstlight
