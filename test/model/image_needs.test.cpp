#include "model/image_needs.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <vector>

using namespace firstlight;

namespace {

digest numbered(int number) {
  digest made;
  made.bytes[0] = static_cast<std::byte>(number);
  return made;
}

/// Each image has a number, which its name, its TOC and its manifest show.
image_in_store image(int number) {
  return {{"example.com/app:" + std::to_string(number), "linux/amd64"}, {numbered(number)}, numbered(number)};
}

snapshot_manifests snapshots_of(const std::set<int>& images) {
  std::set<digest> manifests;
  for (const auto one : images) manifests.insert(numbered(one));
  return std::make_shared<const std::set<digest>>(std::move(manifests));
}

constexpr int images = 6;

std::set<int> some_images() {
  const auto some = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, images));
  return {some.begin(), some.end()};
}

image_needs some_needs() {
  image_needs needs;
  for (const auto one : some_images()) needs.mounted.insert(image(one).toc);
  for (const auto one : some_images()) needs.waiting.insert(image(one).toc);
  for (const auto one : some_images()) needs.containerd.held.insert(image(one).key);
  needs.containerd.is_served = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) needs.containerd.snapshots = snapshots_of(some_images());
  return needs;
}

}  // namespace

TEST_CASE("containerd needs what it has snapshots of and what it alone has asked for") {
  const containerd_images containerd{true, snapshots_of({1}), {image(2).key}};
  CHECK(is_needed(containerd, image(1)));
  CHECK(is_needed(containerd, image(2)));
  CHECK_FALSE(is_needed(containerd, image(3)));
  auto elsewhere = image(2);
  elsewhere.key.second = "linux/arm64";
  CHECK_FALSE(is_needed(containerd, elsewhere));
}

TEST_CASE("containerd may need each image until its snapshots are known, and none that is not served") {
  CHECK(is_needed({true, nullptr, {}}, image(1)));
  CHECK_FALSE(is_needed({false, nullptr, {}}, image(1)));
  CHECK_FALSE(is_needed({false, snapshots_of({1}), {image(1).key}}, image(1)));
}

TEST_CASE("above the limit of the store stays what is mounted, waits for the hub, or is containerd's") {
  const image_needs needs{{image(1).toc}, {image(2).toc}, {true, snapshots_of({3}), {image(4).key}}};
  for (const auto needed : {1, 2, 3, 4}) CHECK(stays_above_limit(needs, image(needed)));
  CHECK_FALSE(stays_above_limit(needs, image(5)));
}

TEST_CASE("a version that is mounted or waits stays, not another one that its name means by now") {
  const image_needs needs{{image(1).toc}, {image(2).toc}, {}};
  for (const auto older : {1, 2}) {
    auto newer = image(older);
    newer.toc = image(5).toc;
    newer.manifest = image(5).manifest;
    CHECK_FALSE(stays_above_limit(needs, newer));
  }
}

TEST_CASE("a user evicts one image, or all, but what is mounted") {
  const std::set<toc_id> mounted{image(1).toc};
  CHECK(stays_when_evicted(mounted, std::nullopt, image(1)));
  CHECK_FALSE(stays_when_evicted(mounted, std::nullopt, image(2)));
  CHECK(stays_when_evicted(mounted, image(1).key, image(1)));
  CHECK_FALSE(stays_when_evicted(mounted, image(2).key, image(2)));
  CHECK(stays_when_evicted(mounted, image(2).key, image(3)));
}

TEST_CASE("a former version goes when containerd alone has asked for it and has no snapshot of it") {
  image_needs needs{{}, {}, {true, snapshots_of({}), {image(1).key}}};
  CHECK(fate_of_former(needs, image(1)) == former_fate::goes);
  SECTION("but a user may have asked for it too") {
    needs.containerd.held.clear();
    CHECK(fate_of_former(needs, image(1)) == former_fate::stays);
  }
  SECTION("but it stays with its last snapshot, mounted or not") {
    needs.containerd.snapshots = snapshots_of({1});
    CHECK(fate_of_former(needs, image(1)) == former_fate::stays);
    needs.mounted.insert(image(1).toc);
    CHECK(fate_of_former(needs, image(1)) == former_fate::stays);
  }
  SECTION("but later if it is mounted") {
    needs.mounted.insert(image(1).toc);
    CHECK(fate_of_former(needs, image(1)) == former_fate::goes_unmounted);
  }
  SECTION("but not before it is known of what there are snapshots") {
    needs.containerd.snapshots = nullptr;
    CHECK(fate_of_former(needs, image(1)) == former_fate::stays);
  }
}

TEST_CASE("containerd may need fewer images when one that it had snapshots of is missing") {
  CHECK(may_need_fewer(snapshots_of({1, 2}), snapshots_of({1})));
  CHECK(may_need_fewer(snapshots_of({1, 2}), snapshots_of({1, 3})));
  CHECK(may_need_fewer(snapshots_of({1}), snapshots_of({2, 3})));
  CHECK_FALSE(may_need_fewer(snapshots_of({1}), snapshots_of({1})));
  CHECK_FALSE(may_need_fewer(snapshots_of({1}), snapshots_of({1, 2})));
  CHECK(may_need_fewer(nullptr, snapshots_of({1})));
  CHECK(may_need_fewer(snapshots_of({1}), nullptr));
}

TEST_CASE("the limit of the store takes no image that a user could not have evicted as well") {
  CHECK(rc::check([] {
    const auto needs = some_needs();
    for (int one = 0; one < images; ++one)
      if (!stays_above_limit(needs, image(one)))
        RC_ASSERT_FALSE(stays_when_evicted(needs.mounted, std::nullopt, image(one)));
  }));
}

TEST_CASE("needs that are added let no image go that stayed above the limit, once snapshots are known") {
  CHECK(rc::check([] {
    auto needs = some_needs();
    needs.containerd.snapshots = snapshots_of(some_images());
    auto more = some_needs();
    more.mounted.insert(needs.mounted.begin(), needs.mounted.end());
    more.waiting.insert(needs.waiting.begin(), needs.waiting.end());
    more.containerd = needs.containerd;
    more.containerd.held.insert(image(*rc::gen::inRange(0, images)).key);
    for (int one = 0; one < images; ++one)
      RC_ASSERT(!stays_above_limit(needs, image(one)) || stays_above_limit(more, image(one)));
  }));
}
