#pragma once
#include <string>
#include <vector>

#include "model/plan.hpp"

namespace firstlight {

/// What a hub or a node remembers of an image that it has.
struct image_record {
  std::string reference;  ///< canonical form
  std::string platform;   ///< os/architecture[/variant]
  std::string source;     ///< the reference that it is read from, canonical
  toc_id toc;
  digest top_digest;  ///< what the tag pointed to: an index or the manifest itself
  digest manifest_digest;
  std::uint64_t compressed_bytes = 0;  ///< of all layers, as the registry has them
  std::uint64_t content_bytes = 0;     ///< of all contents, unpacked
  std::uint32_t files = 0;             ///< inodes
  std::uint32_t layers = 0;            ///< how many the manifest names; 0 on nodes
  std::int64_t added_at = 0;           ///< seconds since the epoch
  std::int64_t last_used_at = 0;       ///< seconds since the epoch
  std::int64_t checked_at = 0;         ///< when the source was last asked what the tag means
  bool complete = false;               ///< all contents are stored and durable
  friend bool operator==(const image_record&, const image_record&) = default;
};

/// In which order a start of an image reads it: highest priority first.
struct stored_order {
  std::vector<block_run> runs;
  std::uint32_t guessed = 0;  ///< how many leading runs a start is expected to read
  std::uint32_t traces = 0;   ///< of how many starts it was learned; 0: guessed without any
  std::string relative{};     ///< whose starts those were, if not this image's own: a reference
  std::vector<std::chrono::milliseconds> positions{};  ///< as in `content_order`
  std::vector<std::uint8_t> read_percents{};           ///< as in `content_order`
  friend bool operator==(const stored_order&, const stored_order&) = default;
};

[[nodiscard]] std::vector<std::byte> encode_image_record(const image_record& record);
/// Errors: `corrupt`.
[[nodiscard]] result<image_record> decode_image_record(bytes_view message);

/// What planners take.
[[nodiscard]] content_order as_content_order(const stored_order& order);

[[nodiscard]] std::vector<std::byte> encode_order(const stored_order& order);
/// Errors: `corrupt`.
[[nodiscard]] result<stored_order> decode_order(bytes_view message);

}  // namespace firstlight
