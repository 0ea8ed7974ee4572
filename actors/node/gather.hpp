#pragma once
#include <functional>
#include <vector>

namespace firstlight::detail {

/// Collects answers of several actors, at least one; whoever does not answer in time is left out.
template <class T>
struct collection {
  std::vector<T> answers;
  std::size_t open = 0;
  std::function<void(std::vector<T>)> then;

  void settle() {
    if (--open == 0) then(std::move(answers));
  }
};

}  // namespace firstlight::detail
