#include "model/order_plot.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace firstlight {
namespace {

constexpr double left = 320;
constexpr double width = 900;
constexpr double row_height = 12;
constexpr double legend_indent = 60;
constexpr double legend_step = 100;
constexpr double legend_bar = 10;
constexpr std::size_t rows_max = 400;

// Colours of bars, by how an access went, and of the mark.
constexpr std::string_view there = "#37a";
constexpr std::string_view waited = "#e90";
constexpr std::string_view missed = "#c33";
constexpr std::string_view arrived = "#2a2";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e)
      out += '?';
    else
      out += c;
  }
  return out;
}

std::string number(double value) {
  auto text = std::to_string(value);
  return text.substr(0, text.find('.') + 2);
}

std::string text(double x, double y, std::string_view anchor, std::string_view what) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + std::string(anchor) +
         "\">" + escaped(what) + "</text>\n";
}

std::string bar(double x, double y, double length, std::string_view colour) {
  return "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(std::max(1.0, length)) +
         "\" height=\"" + number(row_height - 3) + "\" fill=\"" + std::string(colour) + "\"/>\n";
}

std::string mark(double x, double y) {
  return "<circle cx=\"" + number(x) + "\" cy=\"" + number(y + (row_height - 3) / 2) +
         "\" r=\"2.5\" fill=\"" + std::string(arrived) + "\"/>\n";
}

/// What colours and marks mean, in one line from `y` on.
std::string legend(double y) {
  constexpr std::array meanings{std::pair{there, "there"}, std::pair{waited, "waited"},
                                std::pair{missed, "asked for"}};
  std::string line;
  double x = left + legend_indent;
  for (const auto& [colour, meaning] : meanings) {
    line += bar(x, y, legend_bar, colour) + text(x + legend_bar + 4, y + row_height - 4, "start", meaning);
    x += legend_step;
  }
  return line + mark(x + legend_bar - 3, y) +
         text(x + legend_bar + 4, y + row_height - 4, "start", "last byte has arrived");
}

}  // namespace

std::string plot_replay(const order_score& score, std::span<const std::string> paths,
                        std::string_view title) {
  std::map<std::uint32_t, std::size_t> rows;
  for (const auto& access : score.accesses)
    if (rows.size() < rows_max) rows.try_emplace(access.run.content, rows.size());
  const auto span = std::max(1.0, static_cast<double>(score.end.count()));
  const auto place = [&](std::chrono::nanoseconds when) {
    return left + static_cast<double>(when.count()) / span * width;
  };
  const auto top = [](std::size_t row) { return 40 + static_cast<double>(row) * row_height; };
  const auto height = top(rows.size()) + 30;
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(left + width + 20) +
                    "\" height=\"" + number(height) +
                    "\" font-family=\"sans-serif\" font-size=\"9\">\n<rect width=\"100%\" height=\"100%\" "
                    "fill=\"white\"/>\n";
  svg += text(left, 20, "start", title);
  for (const auto& [content, row] : rows) {
    const auto name = content < paths.size() && !paths[content].empty()
                          ? paths[content]
                          : "content " + std::to_string(content);
    const auto shown = name.size() <= 60 ? name : "..." + name.substr(name.size() - 57);
    svg += text(left - 6, top(row) + row_height - 4, "end", shown);
  }
  for (const auto& access : score.accesses) {
    const auto row = rows.find(access.run.content);
    if (row == rows.end()) continue;
    const auto x = place(access.asked);
    const auto colour = access.missed ? missed : access.wait.count() > 0 ? waited : there;
    svg += bar(x, top(row->second), place(access.asked + access.wait) - x, colour);
    svg += mark(place(access.arrived), top(row->second));
  }
  const auto bottom = height - 12;
  svg += text(left, bottom, "start", "0 ms");
  svg += legend(bottom - row_height + 4);
  svg += text(left + width, bottom, "end", number(span / 1e6) + " ms");
  return svg + "</svg>\n";
}

}  // namespace firstlight
