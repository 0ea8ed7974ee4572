#pragma once
#include <filesystem>

namespace firstlight {

/// Where one side of a link finds what proves who it is and whom it trusts. All PEM files.
struct tls_files {
  std::filesystem::path ca;           ///< certificate of the common authority
  std::filesystem::path certificate;  ///< own certificate
  std::filesystem::path key;          ///< own private key, mode 0600
};

}  // namespace firstlight
