#include "containerd/pull_secret.hpp"

#include <grpcpp/impl/codegen/proto_utils.h>

#include "logins/docker_logins.hpp"
#include "model/image_reference.hpp"
#include "model/registry_pattern.hpp"
#include "schemas/containerd/cri.pb.h"

namespace firstlight {
namespace {

/// The message's own texts are wiped.
result<registry_login> read_login(runtime::v1::AuthConfig& auth) {
  registry_login login{auth.username(), take_secret(*auth.mutable_password()),
                       take_secret(*auth.mutable_identity_token()),
                       take_secret(*auth.mutable_registry_token())};
  if (login.user.empty() && !auth.auth().empty()) {
    auto pair = login_of_auth(auth.auth());
    wipe(*auth.mutable_auth());
    if (!pair) return pair;
    login.user = std::move(pair->user);
    login.password = std::move(pair->password);
  }
  return login;
}

/// As containerd has it: a login for another server than the image's says nothing.
bool is_for(const std::string& server, const std::string& reference) {
  if (server.empty()) return true;
  const auto image = parse_image_reference(reference);
  return image && registry_of_server(server) == image->host;
}

}  // namespace

result<remember_login> read_pull_secret(const grpc::ByteBuffer& request) {
  runtime::v1::PullImageRequest message;
  grpc::ByteBuffer copy(request);  // of references: reading takes the buffer
  if (!grpc::SerializationTraits<runtime::v1::PullImageRequest>::Deserialize(&copy, &message).ok())
    return fail(errc::corrupt, "it is no PullImageRequest");
  remember_login said{message.image().image(), {}};
  if (!message.has_auth() || !is_for(message.auth().server_address(), said.reference)) return said;
  auto login = read_login(*message.mutable_auth());
  if (!login) return tl::unexpected(login.error());
  if (!is_empty(*login)) said.login = std::make_shared<const registry_login>(std::move(*login));
  return said;
}

}  // namespace firstlight
