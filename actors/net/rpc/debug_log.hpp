#pragma once
#include <kj/async.h>
#include <spdlog/spdlog.h>

namespace firstlight {

/// For tasks whose failure another one tells better.
class debug_log final : public kj::TaskSet::ErrorHandler {
 public:
  void taskFailed(kj::Exception&& thrown) override {
    spdlog::debug("hub link: {}", thrown.getDescription().cStr());
  }
};

}  // namespace firstlight
