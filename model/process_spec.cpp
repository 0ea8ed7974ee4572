#include "model/process_spec.hpp"

#include <algorithm>
#include <charconv>

namespace firstlight {
namespace {

constexpr std::string_view default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct account {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home;
};

/// The line of passwd with this name, or with this number.
std::optional<account> find_account(std::string_view passwd, std::string_view user) {
  const auto wanted = number(user);
  std::optional<account> by_number;
  for (const auto line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6) continue;
    const auto uid = number(fields[2]);
    const auto gid = number(fields[3]);
    if (!uid || !gid) continue;
    account found{std::string(fields[0]), *uid, *gid, std::string(fields[5])};
    if (fields[0] == user) return found;
    if (wanted == uid && !by_number) by_number = std::move(found);
  }
  return by_number;
}

std::optional<std::uint32_t> find_group(std::string_view group, std::string_view name) {
  for (const auto line : split(group, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() >= 3 && fields[0] == name) return number(fields[2]);
  }
  return number(name);
}

std::vector<std::uint32_t> groups_with(std::string_view group, std::string_view member,
                                       std::uint32_t primary) {
  std::vector<std::uint32_t> ids;
  for (const auto line : split(group, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 4 || member.empty()) continue;
    const auto members = split(fields[3], ',');
    const auto gid = number(fields[2]);
    if (gid && *gid != primary && std::find(members.begin(), members.end(), member) != members.end())
      ids.push_back(*gid);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

/// Fills uid, gid, groups; returns the home folder.
result<std::string> decide_user(std::string_view wish, const account_files& accounts, process_spec& spec) {
  const auto colon = wish.find(':');
  const auto user = wish.empty() ? std::string_view("0") : wish.substr(0, colon);
  const auto found = find_account(accounts.passwd, user);
  const auto uid = number(user);
  if (!found && !uid)
    return fail(errc::not_found, "the image's /etc/passwd has no user '" + std::string(user) + "'");
  spec.uid = found ? found->uid : *uid;
  spec.gid = found ? found->gid : 0;
  if (colon != std::string_view::npos) {
    const auto name = wish.substr(colon + 1);
    const auto gid = find_group(accounts.group, name);
    if (!gid) return fail(errc::not_found, "the image's /etc/group has no group '" + std::string(name) + "'");
    spec.gid = *gid;
  } else if (found) {
    spec.groups = groups_with(accounts.group, found->name, spec.gid);
  }
  return found && !found->home.empty() ? found->home : "/";
}

void set_variable(std::vector<std::string>& environment, const std::string& assignment) {
  const auto name = assignment.substr(0, assignment.find('=') + 1);
  const auto old = std::find_if(environment.begin(), environment.end(),
                                [&](const auto& e) { return e.starts_with(name); });
  if (old != environment.end()) {
    *old = assignment;
  } else {
    environment.push_back(assignment);
  }
}

result<std::vector<std::string>> decide_environment(const image_config& image, const process_wishes& wishes,
                                                    const std::string& home) {
  std::vector<std::string> environment{"PATH=" + std::string(default_path), "HOME=" + home};
  if (wishes.terminal) environment.emplace_back("TERM=xterm");
  for (const auto& assignment : image.environment) {
    if (assignment.find('=') != std::string::npos) set_variable(environment, assignment);
  }
  for (const auto& assignment : wishes.environment) {
    const auto equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(errc::invalid_argument, "environment '" + assignment + "' must be NAME=VALUE");
    }
    set_variable(environment, assignment);
  }
  return environment;
}

std::vector<std::string> decide_arguments(const image_config& image, const process_wishes& wishes) {
  std::vector<std::string> arguments;
  if (!wishes.entrypoint) {
    arguments = image.entrypoint;
  } else if (!wishes.entrypoint->empty()) {
    arguments.push_back(*wishes.entrypoint);
  }
  const bool own = wishes.entrypoint || !wishes.arguments.empty();
  const auto& rest = own ? wishes.arguments : image.command;
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  return arguments;
}

}  // namespace

result<process_spec> decide_process(const image_config& image, const process_wishes& wishes,
                                    const account_files& accounts) {
  process_spec spec;
  spec.arguments = decide_arguments(image, wishes);
  if (spec.arguments.empty()) {
    return fail(errc::invalid_argument, "the image names no program to run; give one after the image's name");
  }
  const auto home = decide_user(wishes.user.empty() ? image.user : wishes.user, accounts, spec);
  if (!home) return tl::unexpected(home.error());
  auto environment = decide_environment(image, wishes, *home);
  if (!environment) return tl::unexpected(environment.error());
  spec.environment = std::move(*environment);
  spec.working_directory =
      !wishes.working_directory.empty() ? wishes.working_directory : image.working_directory;
  if (!spec.working_directory.starts_with('/')) spec.working_directory.insert(0, "/");
  return spec;
}

}  // namespace firstlight
