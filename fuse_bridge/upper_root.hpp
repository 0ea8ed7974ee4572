#pragma once
#include <filesystem>
#include <functional>

#include "model/result.hpp"

namespace firstlight {

/// A mount shows the attributes of its layer's upper folder as those of the root. Has `give` give that folder
/// those of the image's root, unless an earlier mount has, in whatever mode: what they are now is what was
/// written, even if nothing else was. Errors: `io`, those of `give`.
result<void> give_root_once(const std::filesystem::path& upper, const std::function<result<void>()>& give);

}  // namespace firstlight
