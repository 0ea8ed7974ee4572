#pragma once
#include <string>
#include <variant>
#include <vector>

#include "model/bytes.hpp"

namespace firstlight {

/// A mount as its keeper knows it, beside the descriptor of its FUSE session.
struct kept_entry {
  std::string name;     ///< a file name, unique
  shared_bytes init;    ///< the kernel's FUSE_INIT message to the session, as it was read
  shared_bytes record;  ///< an encoded mount_record: nothing to the keeper
};

struct keeper_keep {
  kept_entry entry;
};
struct keeper_drop {
  std::string name;
};
struct keeper_list {};
struct keeper_kept {
  kept_entry entry;
};
struct keeper_end {};

/// What goes between a node and its keeper, in the order of schemas/keeper.capnp.
using keeper_message = std::variant<keeper_keep, keeper_drop, keeper_list, keeper_kept, keeper_end>;

[[nodiscard]] std::vector<std::byte> encode(const keeper_message& message);
/// Errors: `corrupt`.
[[nodiscard]] result<keeper_message> decode_keeper_message(bytes_view bytes);

}  // namespace firstlight
