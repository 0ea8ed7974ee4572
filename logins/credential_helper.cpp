#include "logins/credential_helper.hpp"

#include "logins/helper_program.hpp"
#include "logins/login_json.hpp"

namespace firstlight {
namespace {

using found_login = result<std::optional<registry_login>>;

found_login parse_answer(const std::string& program, const helper_answer& answer) {
  if (answer.exit_code != 0 && answer.output.find("credentials not found") != std::string::npos)
    return std::optional<registry_login>{};
  if (answer.exit_code != 0)  // what looks like JSON may hold a secret
    return fail(errc::denied, program + " failed: " +
                                  (answer.output.find('{') != std::string::npos
                                       ? "exit code " + std::to_string(answer.exit_code)
                                       : answer.output.substr(0, answer.output.find('\n')).substr(0, 200)));
  auto parsed = detail::parse_json_object(answer.output, "the answer of " + program);
  if (!parsed) return tl::unexpected(error{errc::corrupt, "the answer of " + program + " is no JSON object"});
  registry_login found{.user = detail::text_member(*parsed, "Username"),
                       .password = detail::secret_member(*parsed, "Secret"),
                       .identity_token = {},
                       .registry_token = {}};
  detail::wipe_texts(*parsed);
  if (found.user == "<token>") return registry_login{{}, {}, std::move(found.password), {}};
  return found;
}

}  // namespace

found_login ask_credential_helper(const std::string& name, const std::string& server,
                                  const helper_limits& limits) {
  if (name.empty() || name.find('/') != std::string::npos)
    return fail(errc::invalid_argument, "credential helper '" + name + "' is no name");
  const std::string program = "docker-credential-" + name;
  auto answer = ask_helper({program, {"get"}, {}}, server, limits);
  if (!answer) return tl::unexpected(answer.error());
  auto found = parse_answer(program, *answer);
  wipe(answer->output);
  return found;
}

}  // namespace firstlight
