#pragma once
#include <optional>
#include <string>
#include <vector>

namespace firstlight {

/// LINE EDITOR: lines from standard input; at a terminal with libedit's keys, and with signals that do not
/// end the process while a line is typed. Completion is libedit's (rl_attempted_completion_function), which
/// has one line at a time: make one of these only, on the main thread.
class line_editor {
 public:
  /// `history`: what was typed earlier, the oldest first; the keys reach `history_max` lines.
  line_editor(const std::vector<std::string>& history, int history_max);

  /// The next line; at a terminal behind `prompt`, as wide as that is now. ^C drops what is typed and asks
  /// anew.
  /// @returns nothing at the end: of the input, or at a terminal because of SIGTERM, SIGHUP or SIGQUIT
  [[nodiscard]] std::optional<std::string> read(const char* prompt) const;
  /// Readable once a signal has come while a line is typed, -1 if none is: for what completion waits for.
  [[nodiscard]] static int interrupt();
  /// The keys reach this line from now on.
  void remember(const std::string& line) const;
};

}  // namespace firstlight
