#pragma once
#include <filesystem>

#include "config/keeper_limits.hpp"
#include "fuse_bridge/caretaker.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// KEEPER: a process that holds the /dev/fuse descriptors of a node's mounts, so that a crash of the node is
/// a pause for programs and not an error: the kernel keeps their requests until the next node has asked for
/// the descriptors. Meanwhile a caretaker answers for the content mount, as far as the store has it. Serves
/// one node at a time; a second one's connection is closed at once. Returns when its node has gone and
/// nothing is left to keep: all was dropped, was unmounted, or nobody came within `takeover_wait`; then the
/// descriptors close and readers get errors. Without `places` nothing is answered. Removes `socket`, the file
/// that `listener` listens at. Blocks; one thread. @returns how many mounts it has given up.
std::size_t run_keeper(file_descriptor listener, const std::filesystem::path& socket,
                       const keeper_limits& limits, const caretaker_places& places = {});

}  // namespace firstlight
