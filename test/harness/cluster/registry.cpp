#include "test/harness/cluster/registry.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "test/harness/eventually.hpp"

namespace firstlight {
namespace {

constexpr std::chrono::minutes command_limit{4};

std::uint16_t free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(probe);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

std::string printed(cluster& all, const std::vector<std::string>& arguments) {
  auto program = all.run(arguments);
  const auto end = program->wait(command_limit);
  if (!end || end->exit_code != 0) throw std::runtime_error(arguments.front() + ": " + program->errors());
  return program->output();
}

}  // namespace

registry_daemon::registry_daemon(cluster& all, const std::vector<registry_user>& users)
    : all_(all), port_(free_port()) {
  const auto config = all_.folder() / "registry.yml";
  std::ofstream(config) << "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: '"
                        << (all_.folder() / "registry").string() << "'}}\nhttp: {addr: '" << host() << "'}\n"
                        << (users.empty() ? ""
                                          : "auth: {htpasswd: {realm: test, path: '" +
                                                (all_.folder() / "htpasswd").string() + "'}}\n");
  if (!users.empty()) set_users(users);
  start();
}

void registry_daemon::set_users(const std::vector<registry_user>& users) {
  users_ = users;
  std::string lines;
  for (const auto& user : users) lines += printed(all_, {"htpasswd", "-Bbn", user.name, user.password});
  const auto next = all_.folder() / "htpasswd.next";
  std::ofstream(next) << lines;
  std::filesystem::rename(next, all_.folder() / "htpasswd");
}

bool registry_daemon::answers() {
  const auto asked =
      all_.run({"curl", "-s", "-o", "/dev/null", "--max-time", "10", "http://" + host() + "/v2/"});
  const auto end = asked->wait(command_limit);
  return end && end->exit_code == 0;
}

void registry_daemon::start() {
  daemon_ = all_.run({"docker-registry", "serve", (all_.folder() / "registry.yml").string()});
  if (!eventually([&] { return answers(); }))
    throw std::runtime_error("the registry does not answer: " + daemon_->errors());
}

void registry_daemon::stop() {
  daemon_->kill();
}

std::string registry_daemon::push(const std::filesystem::path& layout, const std::string& name) {
  const auto reference = host() + "/" + name;
  std::vector<std::string> copy{"skopeo", "copy", "--all", "--dest-tls-verify=false"};
  if (!users_.empty())
    copy.insert(copy.end(), {"--dest-creds", users_.front().name + ":" + users_.front().password});
  copy.insert(copy.end(), {"oci:" + layout.string() + ":latest", "docker://" + reference});
  printed(all_, copy);
  return reference;
}

}  // namespace firstlight
