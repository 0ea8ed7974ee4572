#pragma once
#include "model/transfer.hpp"

namespace firstlight {

/// The bytes that a hub signs. Equal statements give equal bytes.
[[nodiscard]] std::vector<std::byte> encode_toc_statement(const toc_statement& statement);

/// Errors: `corrupt` for anything that `encode_toc_statement` cannot have made.
[[nodiscard]] result<toc_statement> decode_toc_statement(bytes_view bytes);

}  // namespace firstlight
