#include <algorithm>

#include "apps/exit_code.hpp"
#include "apps/manual.hpp"
#include "apps/version.hpp"

namespace firstlight {
namespace {

std::vector<const CLI::App*> children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string full_name(const CLI::App& app, char between) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : full_name(*app.get_parent(), between) + between + app.get_name();
}

/// Text that groff prints as it is.
std::string escaped(const std::string& text) {
  std::string out;
  bool line_start = true;
  for (const char letter : text) {
    if (line_start && (letter == '.' || letter == '\'')) out += "\\&";
    if (letter == '\\') {
      out += "\\e";
    } else if (letter == '-') {
      out += "\\-";
    } else {
      out += letter;
    }
    line_start = letter == '\n';
  }
  return out;
}

std::string option_names(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const auto& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  if (names.empty()) return option.get_type_name();
  return option.get_items_expected_max() > 0 ? names + " " + option.get_type_name() : names;
}

std::string synopsis(const CLI::App& app) {
  auto line = full_name(app, ' ');
  if (!children(app).empty()) return line + " COMMAND";
  line += " [OPTIONS]";
  for (const auto* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const auto many = option->get_items_expected_max() > 1 ? "..." : "";
    line += option->get_required() ? " " + option->get_type_name() + many
                                   : " [" + option->get_type_name() + many + "]";
  }
  return line;
}

std::string options_section(const CLI::App& app) {
  std::string text;
  for (const auto* option : app.get_options()) {
    text +=
        ".TP\n\\fB" + escaped(option_names(*option)) + "\\fR\n" + escaped(option->get_description()) + "\n";
  }
  return text.empty() ? "" : ".SH OPTIONS\n" + text;
}

std::string commands_section(const CLI::App& app) {
  std::string text;
  for (const auto* child : children(app)) {
    text += ".TP\n\\fB" + escaped(full_name(*child, '-')) + "\\fR(1)\n" + escaped(child->get_description()) +
            "\n";
  }
  return text.empty() ? "" : ".SH COMMANDS\n" + text;
}

/// The footer is details, an empty line, "Examples:" and a line for each.
std::string footer_sections(const CLI::App& app) {
  const auto footer = app.get_footer();
  const std::string mark = "Examples:\n";
  const auto at = footer.find(mark);
  if (at == std::string::npos) return "";
  std::string text;
  if (at > 2) text += ".PP\n" + escaped(footer.substr(0, at - 2)) + "\n";
  return text + ".SH EXAMPLES\n.nf\n" + escaped(footer.substr(at + mark.size())) + "\n.fi\n";
}

std::string exit_section() {
  std::string text = ".SH EXIT STATUS\n";
  for (const auto& row : exit_code_table()) {
    text += ".TP\n\\fB" + std::to_string(static_cast<int>(row.code)) + "\\fR\n" + escaped(row.meaning) + "\n";
  }
  return text;
}

std::string page_text(const CLI::App& app) {
  auto title = full_name(app, '-');
  auto upper = title;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  auto text = ".TH \"" + escaped(upper) + "\" 1 \"\" \"firstlight " + std::string(software_version()) +
              "\"\n.SH NAME\n" + escaped(title) + " \\- " + escaped(app.get_description()) +
              "\n.SH SYNOPSIS\n\\fB" + escaped(synopsis(app)) + "\\fR\n.SH DESCRIPTION\n" +
              escaped(app.get_description()) + "\n";
  const auto footer = footer_sections(app);
  const auto examples = std::min(footer.find(".SH EXAMPLES"), footer.size());
  text += footer.substr(0, examples) + commands_section(app) + options_section(app) +
          footer.substr(examples) + exit_section();
  return text + ".SH SEE ALSO\n.BR firstlight (1)\n";
}

void collect(const CLI::App& app, std::vector<man_page>& pages) {
  pages.push_back({full_name(app, '-') + ".1", page_text(app)});
  for (const auto* child : children(app)) collect(*child, pages);
}

}  // namespace

std::vector<man_page> man_pages(const CLI::App& root) {
  std::vector<man_page> pages;
  collect(root, pages);
  return pages;
}

}  // namespace firstlight
