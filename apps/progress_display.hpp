#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "schemas/admin.hpp"

namespace firstlight {

/// One line for people: stage, bar, bytes, rate, time left. Pure. `columns` is the terminal's width.
[[nodiscard]] std::string progress_line(const admin_progress& now, std::uint64_t bytes_per_second,
                                        int columns);

/// Shows on standard error how a request comes along, from its second second on, if that is a terminal;
/// nothing otherwise. The line is cleared at the end. One thread.
class progress_display {
 public:
  enum class visibility { automatic, hidden };
  explicit progress_display(visibility wish);
  ~progress_display();
  progress_display(const progress_display&) = delete;
  progress_display& operator=(const progress_display&) = delete;

  void update(const admin_progress& now);

 private:
  using clock = std::chrono::steady_clock;

  bool visible_;
  bool shown_ = false;
  clock::time_point started_ = clock::now();
  clock::time_point drawn_{};
  clock::time_point stage_started_ = started_;
  std::uint64_t stage_done_ = 0;
  std::string stage_;
};

}  // namespace firstlight
