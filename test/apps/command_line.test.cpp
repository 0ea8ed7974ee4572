#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "apps/command.hpp"
#include "apps/daemon_settings.hpp"
#include "apps/exit_code.hpp"
#include "apps/manual.hpp"
#include "apps/reference_text.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
using words = std::vector<std::string>;

namespace {

std::unique_ptr<command_tree> tree() {
  const auto none = [](const auto&) -> result<int> {
    return fail(errc::unsupported, "no daemon in this test");
  };
  return make_command_tree({none, none, none, none});
}

std::vector<const CLI::App*> all_commands(const CLI::App& app) {
  std::vector<const CLI::App*> found{&app};
  for (const auto* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    for (const auto* one : all_commands(*child)) found.push_back(one);
  }
  return found;
}

std::vector<std::string> names_below_root(const command_tree& of) {
  std::vector<std::string> names;
  for (const auto* child : of.root().get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(child->get_name());
  return names;
}

int run(const words& line) {
  std::vector<const char*> arguments{"firstlight"};
  for (const auto& word : line) arguments.push_back(word.c_str());
  return run_command_line(static_cast<int>(arguments.size()), arguments.data(), {});
}

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("every command has a summary that is a sentence, and every leaf has examples of itself") {
  const auto commands = tree();
  for (const auto* command : all_commands(commands->root())) {
    INFO(command->get_name());
    CHECK(command->get_description().back() == '.');
    const bool leaf = command->get_subcommands([](const CLI::App*) { return true; }).empty();
    if (leaf) CHECK(command->get_footer().find("firstlight") != std::string::npos);
    for (const auto* option : command->get_options()) CHECK_FALSE(option->get_description().empty());
  }
}

TEST_CASE("a word that names a command or group makes just that, another word makes all") {
  const auto all = tree();
  CHECK(names_below_root(*all).size() >= 17);
  for (const auto& name : names_below_root(*all)) {
    const auto one = make_command_tree({}, name);
    CHECK(names_below_root(*one) == words{name});
    const CLI::App& alone = *one->root().get_subcommand(name);
    CHECK(all_commands(alone).size() == all_commands(*all->root().get_subcommand(name)).size());
  }
  for (const std::string other : {"", "--help", "moun"})
    CHECK(names_below_root(*make_command_tree({}, other)) == names_below_root(*all));
}

TEST_CASE("every command that asks a daemon or tells settings offers --json") {
  const auto commands = tree();
  std::size_t asking = 0;
  for (const auto* command : all_commands(commands->root())) {
    const bool tells = command->get_parent() != nullptr && command->get_parent()->get_name() == "config";
    if (command->get_option_no_throw("--socket") == nullptr && !tells) continue;
    INFO(command->get_name());
    ++asking;
    CHECK(command->get_option_no_throw("--json") != nullptr);
  }
  CHECK(asking >= 20);
}

TEST_CASE("a wrong command line ends with the usage exit code") {
  CHECK(run({}) == 2);
  CHECK(run({"imag", "ls"}) == 2);
  CHECK(run({"mount"}) == 2);
  CHECK(run({"mount", "redis", "--nonsense"}) == 2);
  CHECK(run({"config", "hub", "--config", "/dev/null", "--set", "nonsense=1"}) == 2);
  CHECK(run({"completion", "tcsh"}) == 2);
}

TEST_CASE("--peer of a hub adds to the peers of its settings, and only hubs have it") {
  settings_arguments got;
  const auto none = [](const auto&) -> result<int> { return 0; };
  const auto note = [&](const settings_arguments& in) -> result<int> {
    got = in;
    return 0;
  };
  const auto commands = make_command_tree({note, none, none, none, none});
  const std::vector<const char*> line{"firstlight",     "hub",    "--config", "/dev/null", "--set",
                                      "peers=one:7420", "--peer", "two:7420", "--peer",    "[::1]:7421"};
  REQUIRE(commands->run(static_cast<int>(line.size()), line.data()) == 0);
  CHECK(load_settings<hub_options>(got).value().peers == words{"one:7420", "two:7420", "[::1]:7421"});
  CHECK(run({"config", "hub", "--config", "/dev/null", "--peer", "one:7420"}) == 0);
  CHECK(run({"config", "hub", "--config", "/dev/null", "--peer", "one"}) == 2);
  CHECK(run({"config", "node", "--config", "/dev/null", "--peer", "one:7420"}) == 2);
}

TEST_CASE("a word that is not known is answered with the one that was meant") {
  const auto explained = [](words line) {
    const auto commands = tree();
    std::reverse(line.begin(), line.end());
    try {
      commands->root().parse(std::move(line));
    } catch (const CLI::ParseError& problem) {
      return explain_usage(commands->root(), problem);
    }
    return std::string();
  };
  CHECK(explained({"imag", "ls"}) ==
        "there is no command 'imag'; did you mean 'image'?\nTry 'firstlight --help'.");
  CHECK(explained({"image", "ad"}).find("did you mean 'add'") != std::string::npos);
  CHECK(explained({"mount", "x", "--platfrom=a"}).find("--platform") != std::string::npos);
  CHECK(explained({"mount"}).find("image is required\nTry 'firstlight mount --help'.") != std::string::npos);
}

TEST_CASE("a daemon that is not there gives the exit code for unavailable") {
  CHECK(run({"ls", "--socket", "/nonexistent/node.sock"}) == 4);
  CHECK(run({"run", "--socket", "/nonexistent/node.sock", "redis"}) == 125);
}

TEST_CASE("help, version and reference succeed") {
  CHECK(run({"--help"}) == 0);
  CHECK(run({"image", "add", "--help"}) == 0);
  CHECK(run({"--version"}) == 0);
  CHECK(run({"version", "--json"}) == 0);
}

TEST_CASE("what follows the image of run belongs to its program") {
  const auto commands = tree();
  const auto& run_command = *commands->root().get_subcommand("run");
  const auto protect = [&](words line) { return protect_program(run_command, std::move(line)); };
  CHECK(protect({"run", "redis", "ls", "--json"}) == words{"run", "redis", "--", "ls", "--json"});
  CHECK(protect({"run", "--user", "1", "--keep", "redis", "-e"}) ==
        words{"run", "--user", "1", "--keep", "redis", "--", "-e"});
  CHECK(protect({"run", "-e", "A=1", "redis"}) == words{"run", "-e", "A=1", "redis", "--"});
  CHECK(protect({"run", "--user=1", "redis", "-v"}) == words{"run", "--user=1", "redis", "--", "-v"});
  CHECK(protect({"run", "redis", "--", "x"}) == words{"run", "redis", "--", "--", "x"});
  CHECK(protect({"mount", "redis", "--json"}) == words{"mount", "redis", "--json"});
}

TEST_CASE("every command has a manual page with synopsis, examples and exit codes") {
  const auto commands = tree();
  const auto pages = man_pages(commands->root());
  CHECK(pages.size() == all_commands(commands->root()).size());
  const auto add = std::find_if(pages.begin(), pages.end(),
                                [](const auto& p) { return p.file == "firstlight-image-add.1"; });
  REQUIRE(add != pages.end());
  CHECK(add->text.find("firstlight image add [OPTIONS] REFERENCE") != std::string::npos);
  CHECK(add->text.find(".SH EXAMPLES") != std::string::npos);
  CHECK(add->text.find(".SH EXIT STATUS") != std::string::npos);
  CHECK(add->text.find("\\-\\-platform") != std::string::npos);
}

TEST_CASE("completion knows every command and refuses an unknown shell") {
  const auto commands = tree();
  const auto bash = completion_script(commands->root(), "bash").value();
  for (const auto* command : all_commands(commands->root()))
    CHECK(bash.find(command->get_name()) != std::string::npos);
  CHECK(bash.find("'image add') words='--help --platform --name --socket --json --quiet'") !=
        std::string::npos);
  CHECK(completion_script(commands->root(), "fish").value().find("-a mount -d ") != std::string::npos);
  CHECK(completion_script(commands->root(), "zsh").value().starts_with("#compdef firstlight"));
  CHECK(completion_script(commands->root(), "tcsh").error().code == errc::invalid_argument);
}

TEST_CASE("bash completes commands and options by the script") {
  const auto commands = tree();
  const temporary_folder folder;
  std::ofstream(folder.path() / "completion") << completion_script(commands->root(), "bash").value();
  const auto completed = [&](const std::string& line, int position) {
    const auto script = "set -u; . " + (folder.path() / "completion").string() + "; COMP_WORDS=(" + line +
                        "); COMP_CWORD=" + std::to_string(position) +
                        "; _firstlight; echo \"${COMPREPLY[@]}\" >" + (folder.path() / "answer").string();
    std::ofstream(folder.path() / "script") << script;
    REQUIRE(std::system(("bash " + (folder.path() / "script").string()).c_str()) == 0);
    std::string answer;
    std::ifstream in(folder.path() / "answer");
    std::getline(in, answer);
    return answer;
  };
  CHECK(completed("firstlight mo", 1) == "mount");
  CHECK(completed("firstlight image a", 2) == "add");
  CHECK(completed("firstlight image add --pl", 3) == "--platform");
}

TEST_CASE("the documented settings and exit codes are those of the program") {
  CHECK(text_of("docs/settings.md") == settings_reference());
  const auto operations = text_of("docs/operations.md");
  for (const auto& row : exit_code_table()) {
    INFO(row.meaning);
    CHECK(operations.find("| " + std::to_string(static_cast<int>(row.code)) + " |") != std::string::npos);
  }
}
