#include "apps/pki.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "storage/pki/certificate_authority.hpp"

namespace firstlight {
namespace {

std::string json_line(const nlohmann::json& answer) {
  return answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

result<int> init_pki(const pki_init_arguments& in) {
  if (const auto done = init_ca(in.folder); !done) return tl::unexpected(done.error());
  if (in.json) {
    std::printf("%s\n", json_line(nlohmann::json{{"folder", in.folder}}).c_str());
  } else {
    std::printf("%s/ca.crt  for every machine\n%s/ca.key  keep it safe\n", in.folder.c_str(),
                in.folder.c_str());
  }
  return 0;
}

result<int> issue_pki_certificate(const pki_issue_arguments& in) {
  const auto role = parse_pki_role(in.role);
  if (!role) return tl::unexpected(role.error());
  const auto files = issue_certificate(in.folder, *role, in.name, in.hosts);
  if (!files) return tl::unexpected(files.error());
  if (in.json) {
    const nlohmann::json answer{{"certificate", files->certificate.string()}, {"key", files->key.string()}};
    std::printf("%s\n", json_line(answer).c_str());
  } else {
    const auto place = "/etc/firstlight/pki/" + in.role;  // where the daemons and the console look
    std::printf("%s  on its machine: %s.crt\n%s  on its machine: %s.key\n", files->certificate.c_str(),
                place.c_str(), files->key.c_str(), place.c_str());
  }
  return 0;
}

}  // namespace firstlight
