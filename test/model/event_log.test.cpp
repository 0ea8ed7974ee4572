#include "model/event_log.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("events are numbered, and who follows gets only what is new") {
  event_log log(3);
  log.note(10, "mounted", "a");
  log.note(20, "mounted", "b");
  CHECK(log.since(0) == std::vector<event>{{1, 10, "mounted", "a"}, {2, 20, "mounted", "b"}});
  CHECK(log.since(1) == std::vector<event>{{2, 20, "mounted", "b"}});
  CHECK(log.since(2).empty());
  for (int i = 0; i < 5; ++i) log.note(30, "unmounted", "c");
  CHECK(log.since(0).size() == 3);
  CHECK(log.since(0).front().number == 5);
}
