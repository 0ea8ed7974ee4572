#pragma once
#include <kj/compat/tls.h>

#include <memory>
#include <string>

#include "config/tls_files.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Mutual TLS 1.3 with the keys of one side. Loaded on any thread, used on the loop's.
class tls_identity {
 public:
  /// Errors: `not_found`, `corrupt`, `io`.
  [[nodiscard]] static result<std::shared_ptr<tls_identity>> load(const tls_files& files);

  [[nodiscard]] kj::TlsContext& context() { return *context_; }

 private:
  kj::Own<kj::TlsContext> context_;
};

/// The parts of a certificate's common name "role:name"; both empty when it is not of that form.
struct certificate_name {
  std::string role;
  std::string name;
};
[[nodiscard]] certificate_name peer_name(kj::AuthenticatedStream& stream);

}  // namespace firstlight
