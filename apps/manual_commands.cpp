#include <filesystem>
#include <fstream>

#include "apps/command.hpp"
#include "apps/manual.hpp"

namespace firstlight {
namespace {

result<int> write_pages(const CLI::App& root, const std::string& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) return fail(errc::io, folder + ": " + problem.message());
  for (const auto& page : man_pages(root)) {
    std::ofstream out(folder + "/" + page.file, std::ios::binary);
    out << page.text;
    out.close();
    if (!out) return fail(errc::io, "cannot write " + folder + "/" + page.file);
  }
  return 0;
}

}  // namespace

void add_completion_command(command_tree& tree) {
  auto shell = std::make_shared<std::string>();
  auto* completion =
      tree.add(tree.root(),
               {.name = "completion",
                .summary = "Print a completion script for bash, zsh or fish.",
                .examples = "source <(firstlight completion bash)\nfirstlight completion fish | source"},
               [shell]() -> result<int> {
                 const auto script = completion_script(make_command_tree({})->root(), *shell);
                 if (!script) return tl::unexpected(script.error());
                 std::fputs(script->c_str(), stdout);
                 return 0;
               });
  completion->add_option("shell", *shell, "bash, zsh or fish")->required()->type_name("SHELL");
}

void add_man_command(command_tree& tree) {
  auto folder = std::make_shared<std::string>();
  auto* man = tree.add(tree.root(),
                       {.name = "man",
                        .summary = "Write the manual pages of all commands.",
                        .examples = "firstlight man /usr/local/share/man/man1"},
                       [folder] { return write_pages(make_command_tree({})->root(), *folder); });
  man->add_option("folder", *folder, "where to write them; made when missing")->required()->type_name("DIR");
}

}  // namespace firstlight
