#pragma once
#include <catch2/catch.hpp>
#include <set>

#include "test/harness/cluster/cluster.hpp"
#include "test/harness/eventually.hpp"

/// What a hub has learned from traces.
namespace firstlight {

inline nlohmann::json find_traced(const nlohmann::json& list, const std::string& image) {
  for (const auto& one : list["images"])
    if (one["reference"].get<std::string>().find(image) != std::string::npos) return one;
  return {};
}
inline nlohmann::json traced(cluster& all, const std::string& image) {
  return find_traced(all.on_hub({"trace", "ls"}).reply, image);
}

/// Returns once the hub delivers the image in an order that it has learned from so many starts.
inline void await_learned(cluster& all, const std::string& image, int traces) {
  INFO(image);
  REQUIRE(eventually([&] { return traced(all, image)["learned_from"] == traces; }));
}

/// Paths of files that starts of the image are expected to read.
inline std::set<std::string> expected_files(cluster& all, const std::string& image) {
  const auto shown = all.on_hub({"trace", "show", image, "--order", "100"});
  INFO(shown.errors << shown.reply.dump());
  REQUIRE(shown.exit_code == 0);
  std::set<std::string> expected;
  for (const auto& run : shown.reply["order"])
    if (run["expected"] == true) expected.insert(run["path"]);
  return expected;
}

}  // namespace firstlight
