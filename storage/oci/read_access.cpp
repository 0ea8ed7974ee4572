#include "storage/oci/read_access.hpp"

#include "storage/oci/registry_session.hpp"

namespace firstlight {
namespace {

std::string what_to_do(const std::string& host, bool logged_in) {
  const std::string login = "'docker login " + host + "' on the node, or a pull secret";
  return logged_in ? "the registry refuses the node's login; renew it with " + login
                   : "the registry wants a login and the node has none; give it one with " + login;
}

}  // namespace

result<void> check_read_access(const image_reference& image, const source_options& options) {
  registry_session session(image.host, image.repository, options);
  const auto name = image.pinned ? image.pinned->oci() : image.tag;
  const auto answer =
      session.open({.path = "manifests/" + name, .method = "HEAD", .headers = {accept_manifests}});
  if (answer) return {};
  const auto what = image.host + "/" + image.repository;
  if (answer.error().code == errc::denied)
    return fail(errc::denied, what + ": " + what_to_do(image.host, options.caller_login != nullptr) +
                                  " (docs/private-images.md): " + answer.error().detail);
  if (answer.error().code == errc::not_found)
    return fail(errc::not_found, what + ": the registry shows no such image to this node's " +
                                     (options.caller_login ? "login" : "request without a login"));
  return fail(answer.error(), what);
}

}  // namespace firstlight
