#include "test/harness/filesystem/differential.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

namespace firstlight::fstest {
namespace {

/// All contents that have arrived are compared after so many operations.
constexpr std::size_t arrived_interval = 25;

/// The text without the time in it; a text without one is of something new.
std::string without_time(const std::string& text) {
  const auto at = text.find(" time ");
  if (at == std::string::npos) return text;
  const auto end = text.find(' ', at + 6);
  return text.substr(0, at) + (end == std::string::npos ? "" : text.substr(end));
}

/// The file type in the text.
mode_t type_in(const std::string& text) {
  static constexpr std::string_view label = "mode ";
  const auto at = text.find(label);
  if (at == std::string::npos) return 0;
  return static_cast<mode_t>(std::strtoul(text.c_str() + at + label.size(), nullptr, 10)) & S_IFMT;
}

bool same(const std::string& native, const std::string& tested, const allowed_differences& allowed) {
  const auto type = type_in(native);
  const bool may_be_newer =
      (allowed.newer_files && type == S_IFREG) || (allowed.newer_folders && type == S_IFDIR);
  return native == tested || (may_be_newer && without_time(native) == tested);
}

view_of_attributes view_with(const allowed_differences& allowed) {
  return {.folder_links = !allowed.folder_links, .pipe_times = !allowed.pipe_times};
}

}  // namespace

std::optional<std::string> compare_trees(const subject& native, const subject& tested,
                                         const allowed_differences& allowed, compared how) {
  auto view = view_with(allowed);
  view.contents = how == compared::whole;
  const auto expected = native.observe(view);
  const auto got = tested.observe(view);
  const auto [left, right] = std::mismatch(expected.begin(), expected.end(), got.begin(), got.end(),
                                           [&](const auto& a, const auto& b) { return same(a, b, allowed); });
  if (left == expected.end() && right == got.end()) return std::nullopt;
  return "native " + (left == expected.end() ? "ends" : *left) + "\ntested " +
         (right == got.end() ? "ends" : *right);
}

std::optional<difference> compare(subject& native, subject& tested, const std::vector<operation>& operations,
                                  const allowed_differences& allowed, std::size_t contents_interval,
                                  image_contents when) {
  native.view = tested.view = view_with(allowed);
  touched_contents touched(when);
  for (std::size_t step = 0; step < operations.size(); ++step) {
    const auto expected = native.apply(operations[step]);
    const auto got = tested.apply(operations[step]);
    if (expected.error != got.error || expected.value != got.value || !same(expected.data, got.data, allowed))
      return difference{
          step, to_text(operations[step]) + "\nnative " + to_text(expected) + "\ntested " + to_text(got)};
    const bool whole =
        contents_interval != 0 && ((step + 1) % contents_interval == 0 || step + 1 == operations.size());
    const auto how = whole ? compared::whole : compared::attributes;
    if (auto trees = compare_trees(native, tested, allowed, how))
      return difference{step, to_text(operations[step]) + "\ntree: " + *trees};
    if (whole) touched.note_all_arrived();
    auto wrong = touched.compare_after(operations[step], expected, native, tested);
    if (!wrong && !whole && (step + 1) % arrived_interval == 0)
      wrong = touched.compare_arrived(native, tested);
    if (wrong) return difference{step, to_text(operations[step]) + "\n" + *wrong};
  }
  return std::nullopt;
}

std::uint64_t seed_of_test() {
  const char* const set = std::getenv("FIRSTLIGHT_SEED");
  return set != nullptr ? std::strtoull(set, nullptr, 10) : std::random_device{}();
}

std::string script_of(const std::vector<operation>& operations) {
  std::string text;
  for (const auto& one : operations) text += to_text(one) + "\n";
  return text;
}

}  // namespace firstlight::fstest
