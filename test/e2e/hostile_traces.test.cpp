#include <algorithm>

#include "test/e2e/learned.hpp"
#include "test/e2e/shell_image.hpp"

namespace firstlight {
namespace {

/// As a trace file lists what was read.
std::string accesses(int count) {
  std::string all;
  for (int i = 0; i < count; ++i)
    all += (i == 0 ? "" : ",") + (R"({"f":"data/f)" + std::to_string(i) + R"(","a":1,"w":0})");
  return all;
}

}  // namespace

TEST_CASE("traces go out as JSON and come back, and hostile ones change nothing") {
  if (!cluster::possible()) return;
  cluster all;
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 24, .file_bytes = 4096});
  all.add(image.layout, "streamed:1");
  const auto folder = all.folder() / "traces";
  std::filesystem::create_directory(folder);
  const auto write = [&](const std::string& name, const std::string& sequence) {
    std::ofstream(folder / name) << R"({"group":"shop","image":{"n":"streamed","t":"1"},)"
                                 << R"("start":"2024-05-06T07:08:09Z","seq":[)" << sequence << "]}";
  };
  write("good.json", R"({"f":"data/f110","a":5000,"w":0},{"f":"data/f100","a":7000,"w":100})");
  check_good(all.on_hub({"trace", "import", folder.string()}));
  await_learned(all, "streamed", 1);
  const auto order = [&] {
    return all.on_hub({"trace", "show", "streamed:1", "--order", "100"}).reply["order"];
  };
  const auto good = order();
  CHECK(good[0]["path"] == "data/f110");
  CHECK(all.on_hub({"trace", "import", folder.string()}).reply["known"] == 1);

  const auto refused_by_now = [&] { return all.on_hub({"trace", "ls"}).reply["refused"].get<int>(); };
  CHECK(refused_by_now() == 0);
  const auto name = GENERATE(as<std::string>(), "outside", "other", "negative", "nan", "many", "huge");
  if (name == "outside") write("bad.json", R"({"f":"../../etc/passwd","a":1,"w":0})");
  if (name == "other") write("bad.json", R"({"f":"usr/bin/redis-server","a":1,"w":0})");
  if (name == "negative") write("bad.json", R"({"f":"data/f100","a":-1,"w":0})");
  if (name == "nan") write("bad.json", R"({"f":"data/f100","a":NaN,"w":0})");
  if (name == "many") write("bad.json", accesses(200'000));
  if (name == "huge") write("bad.json", accesses(1'000'000));
  const auto refused = all.on_hub({"trace", "import", (folder / "bad.json").string()});
  CHECK(refused.exit_code != 0);
  CHECK(std::count(refused.errors.begin(), refused.errors.end(), '\n') == 1);
  CHECK(refused_by_now() == (name == "huge" ? 0 : 1));  // that one is not even sent
  CHECK(order() == good);
  CHECK(traced(all, "streamed")["traces"] == 1);

  const auto out = all.folder() / "out";
  check_good(all.on_hub({"trace", "export", "--to", out.string()}));
  check_good(all.on_hub({"trace", "rm", "streamed:1"}));
  CHECK(eventually([&] { return traced(all, "streamed")["learned_from"] == 0; }));
}

}  // namespace firstlight
