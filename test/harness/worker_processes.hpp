#pragma once
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <vector>

#include "test/harness/child_process.hpp"
#include "test/harness/eventually.hpp"

namespace firstlight {

/// How many processes work at the same files.
inline constexpr int workers = 4;

/// Processes that carry `work(worker)` out at once, which returns 0 if all was well. It uses system calls and
/// fixed memory only: the test has threads. `work` outlives this.
class worker_processes {
 public:
  template <class Work>
  explicit worker_processes(const Work& work) {
    for (int worker = 0; worker < workers; ++worker)
      all_.push_back(std::make_unique<child_process>([&work, worker] { return work(worker); }));
  }
  /// Waits for the end of all, and checks that all was well.
  void check_ends() {
    for (auto& one : all_) {
      std::optional<int> status;
      REQUIRE(eventually([&] { return (status = one->ended()).has_value(); }));
      CHECK(*status == 0);
    }
  }

 private:
  std::vector<std::unique_ptr<child_process>> all_;
};

template <class Work>
void in_processes(const Work& work) {
  worker_processes(work).check_ends();
}

using path_text = std::array<char, 512>;

/// A path below `root`; `format` takes at most two numbers.
inline path_text in(const char* root, const char* format, int a, int b = 0) {
  path_text text{};
  const auto used = snprintf(text.data(), text.size(), "%s/", root);
  // The formats are literals of the tests.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(text.data() + used, text.size() - static_cast<std::size_t>(used), format, a, b);
#pragma GCC diagnostic pop
  return text;
}

inline int below(std::uint32_t& seed, int limit) {
  seed = seed * 1'664'525 + 1'013'904'223;
  return static_cast<int>((seed >> 8U) % static_cast<std::uint32_t>(limit));
}

}  // namespace firstlight
