#include "model/shell_word.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("a word of a shell's command line is quoted only where it must be") {
  CHECK(shell_word("docker.io/library/redis:7") == "docker.io/library/redis:7");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("layer 2") == "'layer 2'");
  CHECK(shell_word("a@sha256:0#2") == "'a@sha256:0#2'");
  CHECK(shell_word("it's $HOME") == R"('it'\''s $HOME')");
}
