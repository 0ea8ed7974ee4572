#pragma once
#include <deque>
#include <mutex>

#include "storage/erofs/erofs_image.hpp"

namespace firstlight {

/// Plans of EROFS images that a mount will soon ask for, made while something else is waited for. Any thread.
class erofs_plans {
 public:
  explicit erofs_plans(const erofs_limits& limits) : limits_(limits) {}

  /// Plans an image ahead, unless it is one of many files; one that cannot be planned is not kept: `take`
  /// says why. Of plans that nobody takes the latest few stay.
  void plan_ahead(const std::shared_ptr<const toc_view>& toc, const toc_id& id);

  /// What was planned ahead for this very TOC, else a new plan. Errors: those of erofs_image::plan.
  result<erofs_image> take(const std::shared_ptr<const toc_view>& toc, const toc_id& id);

 private:
  struct planned {
    std::shared_ptr<const toc_view> toc;
    erofs_image image;
  };

  erofs_limits limits_;
  std::mutex mutex_;  // guards the plans
  std::deque<planned> plans_;
};

}  // namespace firstlight
