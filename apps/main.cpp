#include "apps/command.hpp"
#include "apps/program_files.hpp"

int main(int argc, char** argv) {
  const auto hand_over = [argv](const auto&) -> firstlight::result<int> {
    return tl::unexpected(firstlight::become_daemon_program(argv));
  };
  return firstlight::run_command_line(argc, argv, {hand_over, hand_over, hand_over, hand_over, hand_over});
}
