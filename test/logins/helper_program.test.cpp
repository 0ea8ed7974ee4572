#include "logins/helper_program.hpp"

#include <catch2/catch.hpp>
#include <csignal>

using namespace firstlight;

namespace {

result<helper_answer> run_script(const std::string& script) {
  return ask_helper({.path = "sh", .arguments = {"-c", script}, .environment = {}}, "asked\n",
                    {.timeout = std::chrono::seconds(30), .answer_bytes_max = 1000});
}

}  // namespace

TEST_CASE("a helper program gets its question and gives its answer and exit code") {
  const auto answer = run_script("read -r line; echo \"$line: said\"; exit 7").value();
  CHECK(answer.output == "asked: said\n");
  CHECK(answer.exit_code == 7);
}

TEST_CASE("a signal that is ignored here still ends a helper program") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  CHECK(run_script("kill -PIPE $$; exit 3").value().exit_code == -1);
  std::signal(SIGPIPE, before);
}
