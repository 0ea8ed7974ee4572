#pragma once
#include <catch2/catch.hpp>

#include "test/harness/cluster/cluster.hpp"

namespace firstlight {

/// The layout that make-image makes, or has made before.
inline std::filesystem::path real_image(cluster& all, const std::string& name) {
  auto made = all.run({"test/images/make-image", name});
  const auto end = made->wait(std::chrono::minutes(20));
  INFO(made->errors());
  REQUIRE(end == program_end{0, 0});
  auto path = made->output();
  path.pop_back();
  return path;
}

}  // namespace firstlight
