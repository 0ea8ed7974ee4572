#include "model/unified_diff.hpp"

#include <algorithm>
#include <vector>

#include "model/marked_lines.hpp"

namespace firstlight {
namespace {

constexpr std::size_t context_lines = 3;

struct step {
  char kind = ' ';  ///< ' ' both have it, '-' only before, '+' only after
  std::string_view line;
};

using texts = std::vector<std::string_view>;

/// Myers: the furthest reach on each diagonal, for 0, 1, 2... differences, until both ends are met.
/// reached[d] is what d differences reach; diagonal k at index k + d.
std::vector<std::vector<std::ptrdiff_t>> reaches(const texts& a, const texts& b) {
  const auto size_a = std::ssize(a);
  const auto size_b = std::ssize(b);
  std::vector<std::vector<std::ptrdiff_t>> reached;
  for (std::ptrdiff_t d = 0;; ++d) {
    std::vector<std::ptrdiff_t> row(static_cast<std::size_t>(2 * d + 1), -1);
    for (std::ptrdiff_t k = -d; k <= d; k += 2) {
      const auto before = [&](std::ptrdiff_t at) {
        const auto index = at + d - 1;
        return d == 0 || index < 0 || index > 2 * (d - 1) ? std::ptrdiff_t{-1}
                                                          : reached.back()[static_cast<std::size_t>(index)];
      };
      auto x = d == 0 ? 0 : std::max(before(k - 1) + 1, before(k + 1));
      while (x < size_a && x - k < size_b && x - k >= 0 &&
             a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)])
        ++x;
      row[static_cast<std::size_t>(k + d)] = x;
      if (x >= size_a && x - k >= size_b) {
        reached.push_back(std::move(row));
        return reached;
      }
    }
    reached.push_back(std::move(row));
  }
}

std::vector<step> script(const texts& a, const texts& b) {
  const auto reached = reaches(a, b);
  std::vector<step> backwards;
  auto x = std::ssize(a);
  auto y = std::ssize(b);
  for (auto d = std::ssize(reached) - 1; d >= 0; --d) {
    const auto reach = [&](std::ptrdiff_t k) {
      const auto index = k + d - 1;
      return index < 0 || index > 2 * (d - 1)
                 ? std::ptrdiff_t{-1}
                 : reached[static_cast<std::size_t>(d - 1)][static_cast<std::size_t>(index)];
    };
    const auto k = x - y;
    const bool added = d > 0 && reach(k + 1) >= reach(k - 1) + 1;
    const auto from_x = d == 0 ? 0 : added ? reach(k + 1) : reach(k - 1) + 1;
    for (; x > from_x; --x, --y) backwards.push_back({' ', a[static_cast<std::size_t>(x - 1)]});
    if (d == 0) break;
    if (added)
      backwards.push_back({'+', b[static_cast<std::size_t>(--y)]});
    else
      backwards.push_back({'-', a[static_cast<std::size_t>(--x)]});
  }
  std::reverse(backwards.begin(), backwards.end());
  return backwards;
}

std::string range(std::size_t first, std::size_t count) {
  const auto shown = count == 0 ? first : first + 1;  // an empty range names the line before it
  return std::to_string(shown) + (count == 1 ? "" : "," + std::to_string(count));
}

std::string line_text(const step& one) {
  auto text = std::string(1, one.kind) + std::string(one.line);
  if (!one.line.ends_with('\n')) text += "\n\\ No newline at end of file\n";
  return text;
}

/// Steps [first, last) as one hunk; the first stands at these lines of the texts.
std::string hunk(const std::vector<step>& steps, std::size_t first, std::size_t last, std::size_t at_before,
                 std::size_t at_after) {
  std::size_t before = 0;
  std::size_t after = 0;
  std::string body;
  for (auto at = first; at < last; ++at) {
    before += steps[at].kind != '+' ? 1 : 0;
    after += steps[at].kind != '-' ? 1 : 0;
    body += line_text(steps[at]);
  }
  return "@@ -" + range(at_before, before) + " +" + range(at_after, after) + " @@\n" + body;
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, const diff_names& names) {
  if (before == after) return {};
  const auto steps = script(lines_of(before), lines_of(after));
  std::string out = "--- " + names.before + "\n+++ " + names.after + "\n";
  std::size_t line_before = 0;
  std::size_t line_after = 0;
  std::size_t at = 0;
  const auto pass = [&](std::size_t until) {
    for (; at < until; ++at) {
      line_before += steps[at].kind != '+' ? 1 : 0;
      line_after += steps[at].kind != '-' ? 1 : 0;
    }
  };
  const auto next_change = [&](std::size_t from) {
    while (from < steps.size() && steps[from].kind == ' ') ++from;
    return from;
  };
  for (auto change = next_change(0); change < steps.size(); change = next_change(at)) {
    pass(std::max(at, change - std::min(change, context_lines)));
    auto last = change + 1;
    for (auto next = next_change(last); next < steps.size() && next - last <= 2 * context_lines;
         next = next_change(last))
      last = next + 1;
    last = std::min(last + context_lines, steps.size());
    out += hunk(steps, at, last, line_before, line_after);
    pass(last);
  }
  return out;
}

}  // namespace firstlight
