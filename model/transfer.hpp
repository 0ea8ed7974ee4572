#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/blocks.hpp"
#include "model/bytes.hpp"
#include "model/columns.hpp"
#include "model/registry_login.hpp"

namespace firstlight {

/// One node of a content's Merkle tree: `level` 0 holds the leaves, `index` counts within the level.
struct merkle_node {
  std::uint8_t level = 0;
  std::uint32_t index = 0;
  digest hash;
  friend bool operator==(const merkle_node&, const merkle_node&) = default;
};

/// The tree nodes that the runs of one content in a segment need and the receiver lacks.
struct content_proof {
  std::uint32_t content = 0;  ///< index in the TOC's content table
  std::vector<merkle_node> nodes;
  friend bool operator==(const content_proof&, const content_proof&) = default;
};

/// The unit of sending: blocks of one or many contents, compressed together as one zstd frame.
struct segment {
  std::uint32_t sequence = 0;  ///< counts from 0 in its delivery
  std::vector<block_run> runs;
  std::uint32_t bytes = 0;  ///< unpacked, the sum over all runs
  shared_bytes frame;
  std::optional<content_info> patch_base;  ///< the frame refers to the bytes of this content
  std::vector<content_proof> proofs;
  bool out_of_turn = false;  ///< a want brought it forward
};

/// What a hub's signature says: this TOC is what this reference meant at that time.
struct toc_statement {
  toc_id toc;
  digest manifest_digest;
  std::string reference;
  std::int64_t signed_at = 0;  ///< seconds since the epoch
  friend bool operator==(const toc_statement&, const toc_statement&) = default;
};

/// A statement with its proof of origin. `statement` is kept as the bytes that were signed.
struct signed_toc {
  std::vector<std::byte> statement;
  std::vector<std::byte> signature;
  std::string certificate_pem;
};

/// The tree is all that a mount needs; the ids of its contents follow it.
enum class toc_part : std::uint8_t { tree = 0, contents = 1 };

/// A part of a TOC on its way: one zstd frame, or a patch against the same part of a TOC that the receiver
/// has.
struct toc_frame {
  toc_part part = toc_part::tree;
  signed_toc origin;        ///< of the tree, which names the digest of the contents; empty for them
  std::uint64_t bytes = 0;  ///< unpacked
  shared_bytes frame;
  std::optional<toc_id> patch_base;
  std::vector<column_table> tables;  ///< of the unpacked bytes, which are in columns (model/columns.hpp)
};

/// Which contents and blocks of one image a node holds.
struct had_image {
  struct partial {
    std::uint32_t content = 0;
    std::vector<std::uint64_t> blocks;  ///< words of a block_set
  };
  toc_id toc;
  std::vector<std::uint64_t> complete;  ///< words of a block_set over the TOC's contents
  std::vector<partial> partials;
};

/// "Want this image, have those."
struct pull_request {
  std::uint64_t delivery = 0;  ///< chosen by the node, unique in its session
  std::string reference;
  std::string platform;  ///< os/architecture[/variant]
  std::vector<had_image> had;
  std::optional<toc_id> toc;  ///< go on with exactly this one, whatever the reference means now
  /// Deliveries that were under way when `had` was looked up: what they bring is not in it.
  std::vector<std::uint64_t> beside{};
  shared_login login{};  ///< of the caller to the image's registry
};

struct pull_started {
  toc_id toc;
  bool toc_sent = true;               ///< false: the node has this TOC already
  std::uint64_t delivered_bytes = 0;  ///< unpacked bytes that will be sent at most
  std::uint32_t segments = 0;
  bool last_known = false;  ///< the registry was away; the tag's last known meaning was used
};

struct pull_progress {
  std::string stage;
  std::uint64_t done = 0;   ///< bytes
  std::uint64_t total = 0;  ///< bytes, 0 if not known
};

enum class landmark : std::uint8_t {
  guessed = 0,   ///< all that the order expects a start to read has been sent
  complete = 1,  ///< all has been sent
  given_up = 2,  ///< the hub cannot send the rest: nothing more comes in this delivery
};

enum class urgency : std::uint8_t { normal, again };

/// The node has received a part of a delivery; its verdict follows when it has been verified and stored.
struct part_received {
  std::uint64_t delivery = 0;
  std::variant<toc_part, std::uint32_t> part;  ///< of the TOC, or the sequence of a segment
  friend auto operator<=>(const part_received&, const part_received&) = default;
};

/// Blocks of a delivery that a reader waits for. `again`: they arrived damaged, send them once more.
struct want {
  std::uint64_t delivery = 0;
  std::vector<block_run> runs;
  urgency how = urgency::normal;
};

}  // namespace firstlight
