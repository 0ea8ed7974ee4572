#include "apps/program_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "test/harness/cluster/program.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

void make_program(const fs::path& file) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << "#!/bin/sh\n";
  fs::permissions(file, fs::perms::owner_all);
}

struct ended {
  int exit_code = -1;
  std::string output;
  std::string errors;
};

ended run(const std::vector<std::string>& arguments) {
  const temporary_folder logs;
  running_program program(arguments, logs.path() / "log");
  const auto end = program.wait(std::chrono::seconds(60));
  REQUIRE(end);
  return {end->exit_code, program.output(), program.errors()};
}

/// The programs where an installation has them; symbolic links would lead back to those of the build.
void install(const fs::path& root) {
  for (const auto& folder : {root / "bin", root / "lib/firstlight"}) fs::create_directories(folder);
  fs::copy_file(FIRSTLIGHT_PROGRAM, root / "bin/firstlight");
  fs::copy_file(FIRSTLIGHT_DAEMON_PROGRAM, root / "lib/firstlight/firstlightd");
}

}  // namespace

TEST_CASE("the daemons' program is found beside the commands', else where an installation has it") {
  const temporary_folder folder;
  const auto root = folder.path();
  const auto installed = root / "lib/firstlight/firstlightd";
  make_program(installed);
  CHECK(find_daemon_program(root / "bin/firstlight") == installed);
  make_program(root / "bin/firstlightd");
  CHECK(find_daemon_program(root / "bin/firstlight") == root / "bin/firstlightd");
}

TEST_CASE("without the daemons' program the error says in one line where it belongs") {
  const temporary_folder folder;
  const auto alone = folder.path() / "bin/firstlight";
  fs::create_directories(alone.parent_path());
  fs::copy_file(FIRSTLIGHT_PROGRAM, alone);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"hub"}, {"node"}, {"pki", "init"}}) {
    std::vector<std::string> line{alone};
    line.insert(line.end(), words.begin(), words.end());
    const auto end = run(line);
    CHECK(end.exit_code == 3);
    CHECK(end.errors.starts_with("firstlight: the program firstlightd is missing"));
    CHECK(end.errors.find((folder.path() / "lib/firstlight").string()) != std::string::npos);
    CHECK(std::count(end.errors.begin(), end.errors.end(), '\n') == 1);
  }
  CHECK(run({alone, "version"}).exit_code == 0);
}

TEST_CASE("a command that needs the daemons' program becomes it with its arguments, also through a link") {
  const temporary_folder folder;
  install(folder.path());
  fs::create_symlink(folder.path() / "bin/firstlight", folder.path() / "link");
  const auto pki = folder.path() / "pki";
  const auto made = run({folder.path() / "link", "pki", "init", "--folder", pki, "--json"});
  CHECK(made.exit_code == 0);
  CHECK(made.output == "{\"folder\":\"" + pki.string() + "\"}\n");
  CHECK(fs::exists(pki / "ca.crt"));
}

TEST_CASE("a setting that does not exist ends a daemon with the usage exit code") {
  for (const std::string daemon : {"hub", "node"}) {
    const auto end = run({FIRSTLIGHT_PROGRAM, daemon, "--config", "/dev/null", "--set", "nonsense=1"});
    CHECK(end.exit_code == 2);
    CHECK(end.errors.find("there is no setting 'nonsense'") != std::string::npos);
  }
}

TEST_CASE("output that cannot be written is a failure, unless nobody wants it") {
  const auto in_shell = [](const std::string& line) {
    return run({"bash", "-c", std::string("\"") + FIRSTLIGHT_PROGRAM + "\" " + line});
  };
  for (const std::string words : {"version", "config reference", "--help"}) {
    INFO(words);
    const auto full = in_shell(words + " > /dev/full");
    CHECK(full.exit_code == 1);
    CHECK(full.errors.starts_with("firstlight: not all of the output could be written"));
    CHECK(std::count(full.errors.begin(), full.errors.end(), '\n') == 1);
    const auto unread = in_shell(words + " | :; exit ${PIPESTATUS[0]}");
    CHECK(unread.exit_code == 0);
    CHECK(unread.errors.empty());
  }
}

TEST_CASE("a folder whose name is not UTF-8 is told of as JSON all the same") {
  const temporary_folder folder;
  const auto made = run({FIRSTLIGHT_PROGRAM, "pki", "init", "--folder", folder.path() / "p\xff", "--json"});
  CHECK(made.exit_code == 0);
  CHECK(made.errors.empty());
  CHECK(made.output.find("/p\xef\xbf\xbd\"}") != std::string::npos);
}

TEST_CASE("an error is one line that cannot steer the terminal") {
  const auto nobody = (std::filesystem::temp_directory_path() / "no\nsocket\x1b[2J").string();
  const auto end = run({FIRSTLIGHT_PROGRAM, "status", "--socket", nobody});
  CHECK(end.exit_code == 4);
  CHECK(std::count(end.errors.begin(), end.errors.end(), '\n') == 1);
  CHECK(end.errors.find('\x1b') == std::string::npos);
}

TEST_CASE("the daemons' program alone is the whole program, under any name") {
  const temporary_folder folder;
  const auto alone = folder.path() / "firstlight";
  fs::copy_file(FIRSTLIGHT_DAEMON_PROGRAM, alone);
  const auto nobody = (folder.path() / "socket").string();
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"},
                                                {"run", "--help"},
                                                {"version", "--json"},
                                                {"completion", "bash"},
                                                {"config", "reference"},
                                                {"status", "--socket", nobody},
                                                {"nonsense"}}) {
    INFO(words.front());
    const auto said_by = [&words](const std::string& program) {
      std::vector<std::string> line{program};
      line.insert(line.end(), words.begin(), words.end());
      return run(line);
    };
    const auto of_both = said_by(FIRSTLIGHT_PROGRAM);
    const auto of_one = said_by(alone);
    CHECK(of_one.exit_code == of_both.exit_code);
    CHECK(of_one.output == of_both.output);
    CHECK(of_one.errors == of_both.errors);
    CHECK_FALSE((of_both.output + of_both.errors).empty());
  }
  CHECK(run({alone, "pki", "init", "--folder", folder.path() / "pki"}).exit_code == 0);
  CHECK(run({alone, "hub", "--config", "/dev/null", "--set", "nonsense=1"}).exit_code == 2);
}
