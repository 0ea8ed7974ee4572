#include <csignal>
#include <cstdio>
#include <exception>

#include "apps/command.hpp"
#include "apps/exit_code.hpp"
#include "apps/hub.hpp"
#include "apps/keeper.hpp"
#include "apps/node.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is a failed write, not a death
  try {
    if (const auto ended = firstlight::run_as_keeper(argc, argv)) return *ended;
    return firstlight::make_command_tree({firstlight::start_hub, firstlight::start_node})->run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "firstlight: %s\n", problem.what());
    return static_cast<int>(firstlight::exit_code::failed);
  }
}
