#include "apps/progress_display.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

constexpr std::chrono::milliseconds quiet_at_first{1000};
constexpr std::chrono::milliseconds redraw_interval{100};
constexpr int bar_cells = 24;

int terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string bar(std::uint64_t done, std::uint64_t total) {
  const auto full = static_cast<int>(static_cast<double>(done) / static_cast<double>(total) * bar_cells);
  return "[" + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(bar_cells - full), '.') + "]";
}

std::string time_left(std::uint64_t bytes, std::uint64_t bytes_per_second) {
  const auto seconds = bytes / bytes_per_second + 1;
  if (seconds > 86'400) return "";
  return ", " + rounded_duration(std::chrono::seconds(seconds)) + " left";
}

}  // namespace

std::string progress_line(const admin_progress& now, std::uint64_t bytes_per_second, int columns) {
  auto line = printable(now.stage);
  if (now.total > 0) {
    const auto done = std::min(now.done, now.total);
    line += "  " + bar(done, now.total) + " " + rounded_bytes(done) + " of " + rounded_bytes(now.total);
  } else if (now.done > 0) {
    line += "  " + rounded_bytes(now.done);
  }
  if (bytes_per_second > 0) {
    line += ", " + rounded_bytes(bytes_per_second) + "/s";
    if (now.total > now.done) line += time_left(now.total - now.done, bytes_per_second);
  }
  return line.substr(0, static_cast<std::size_t>(std::max(columns - 1, 0)));
}

progress_display::progress_display(visibility wish)
    : visible_(wish == visibility::automatic && isatty(STDERR_FILENO) == 1) {}

progress_display::~progress_display() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void progress_display::update(const admin_progress& now) {
  const auto time = clock::now();
  if (now.stage != stage_) {
    stage_ = now.stage;
    stage_started_ = time;
    stage_done_ = now.done;
  }
  if (!visible_ || time - started_ < quiet_at_first || time - drawn_ < redraw_interval) return;
  drawn_ = time;
  shown_ = true;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time - stage_started_).count();
  const auto rate =
      ms > 0 && now.done > stage_done_ ? (now.done - stage_done_) * 1000 / static_cast<std::uint64_t>(ms) : 0;
  std::fprintf(stderr, "\r\x1b[K%s", progress_line(now, rate, terminal_columns()).c_str());
}

}  // namespace firstlight
