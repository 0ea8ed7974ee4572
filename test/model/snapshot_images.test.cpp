#include "model/snapshot_images.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <random>

using namespace firstlight;

namespace {

constexpr snapshot_bounds bounds{
    .snapshots_max = 1000, .name_bytes_max = 200, .labels_max = 3, .label_bytes_max = 20, .chain_max = 100};

digest manifest_of(const std::string& image) {
  digest made;
  for (std::size_t i = 0; i < image.size(); ++i) made.bytes[i] = static_cast<std::byte>(image[i]);
  return made;
}

bool nothing(const remote_layers&) {
  return false;
}

/// Images are texts, of which each letter is a layer. The snapshot of layers is called as they are.
struct bench {
  snapshot_index all{bounds};
  std::map<digest, std::string> images{};  ///< by manifest

  remote_layers layers_of(const std::string& image, std::size_t layers) {
    images.emplace(manifest_of(image), image);
    return {"host.example/" + image + ":1", manifest_of(image), "linux/amd64",
            static_cast<std::uint32_t>(layers), static_cast<std::uint32_t>(image.size())};
  }
  /// Of its layers only so many; those that are there stay.
  void pull(const std::string& image, std::size_t layers) {
    for (std::size_t i = 1; i <= layers; ++i) {
      const auto made =
          all.make_remote({image.substr(0, i), image.substr(0, i - 1), {}}, layers_of(image, i), 1);
      if (made) all.apply(*made);
    }
  }
  void pull(const std::string& image) { pull(image, image.size()); }
  void make(snapshot_kind kind, const std::string& name, const std::string& parent) {
    all.apply(all.make(kind, {name, parent, {}}, 1).value());
  }
  void unpack(const std::string& name, const std::string& parent) {
    make(snapshot_kind::active, "making " + name, parent);
    all.apply(all.commit({name, "making " + name, {}}, {}, 1).value());
  }
  void remove(const std::string& name) { all.erase(all.remove(name).value().name); }
  /// @returns how many change.
  std::size_t settle() {
    const auto changed = shown_by_others(all, nothing);
    for (const auto& record : changed) all.apply({record});
    return changed.size();
  }
  [[nodiscard]] std::string image_of(const std::string& name) const {
    return images.at(all.find(name).value().remote->manifest);
  }
  [[nodiscard]] std::set<std::string> held() const {
    std::set<std::string> texts;
    for (const auto& manifest : snapshot_needs_of(all).manifests) texts.insert(images.at(manifest));
    return texts;
  }
};

using texts = std::set<std::string>;

}  // namespace

TEST_CASE("an image that is gone is not held by what a newer one has in common with it") {
  bench b;
  b.pull("abc");
  b.pull("abx");
  CHECK(b.held() == texts{"abc", "abx"});
  CHECK(b.settle() == 0);
  b.remove("abc");
  CHECK(b.held() == texts{"abx"});
  const auto before = b.all.find("ab").value();
  CHECK(b.settle() == 2);
  auto after = b.all.find("ab").value();
  CHECK(after.remote == b.layers_of("abx", 2));
  after.remote = before.remote;
  CHECK(after == before);  // and nothing else is another
  CHECK(b.image_of("a") == "abx");
  CHECK(b.settle() == 0);
}

TEST_CASE("what is left of the last image is had from that one") {
  bench b;
  b.pull("ac");
  b.pull("ax");
  b.remove("ac");
  b.settle();
  b.remove("ax");
  CHECK(b.settle() == 0);
  CHECK(b.image_of("a") == "ax");
  CHECK(b.held() == texts{"ax"});
}

TEST_CASE("an image of which there are lower layers only is held by the highest of them") {
  bench b;
  b.pull("abcd", 2);
  CHECK(b.held() == texts{"abcd"});
  b.pull("ax");
  CHECK(b.held() == texts{"abcd", "ax"});
  CHECK(b.settle() == 0);
}

TEST_CASE("a whole image is held though another one is built on it") {
  bench b;
  b.pull("ab");
  b.pull("abc");
  CHECK(b.held() == texts{"ab", "abc"});
  b.remove("abc");
  CHECK(b.settle() == 0);
  CHECK(b.image_of("a") == "ab");
}

TEST_CASE("of several images the lower layers are had from a whole one, and of these from the last") {
  bench b;
  b.pull("a1");
  b.pull("a2");
  b.pull("a3");
  b.pull("a4z", 2);
  b.remove("a1");
  CHECK(b.settle() == 1);
  CHECK(b.image_of("a") == "a3");
  b.remove("a2");
  CHECK(b.settle() == 0);
  b.remove("a3");
  CHECK(b.settle() == 1);
  CHECK(b.image_of("a") == "a4z");
}

TEST_CASE("what containers and views stand on stays as it is mounted, and holds no whole image") {
  bench b;
  const auto kind = GENERATE(snapshot_kind::active, snapshot_kind::view);
  const bool unpacked_between = GENERATE(false, true);
  b.pull("abc");
  b.pull("abx");
  if (unpacked_between) b.unpack("mine", "ab");
  b.make(kind, "used", unpacked_between ? "mine" : "ab");
  b.remove("abc");
  const auto mounted = inner_reference(b.layers_of("abc", 2));
  CHECK(mounted == "host.example/abc@" + manifest_of("abc").oci() + "#2");
  CHECK(b.settle() == 1);  // "a"
  CHECK(b.image_of("ab") == "abc");
  CHECK(b.held() == texts{"abx"});
  CHECK(snapshot_needs_of(b.all).references.contains(mounted));
  b.remove("used");
  CHECK_FALSE(snapshot_needs_of(b.all).references.contains(mounted));
  CHECK(b.settle() == 1);
  CHECK(b.image_of("ab") == "abx");
}

TEST_CASE("what is being mounted stays as it is") {
  bench b;
  b.pull("ac");
  b.pull("ax");
  b.remove("ac");
  const auto one = b.layers_of("ac", 1);
  CHECK(shown_by_others(b.all, [&](const remote_layers& what) { return what == one; }).empty());
  CHECK(shown_by_others(b.all, nothing).size() == 1);
}

TEST_CASE("nothing is concluded from layers above unpacked ones, nor from another platform's") {
  bench b;
  b.pull("ac");
  SECTION("unpacked") {
    b.unpack("a/b", "a");
    b.all.apply(b.all.make_remote({"abx", "a/b", {}}, b.layers_of("abx", 3), 1).value());
    b.remove("ac");
    CHECK(b.held() == texts{"ac", "abx"});
  }
  SECTION("platform") {
    auto other = b.layers_of("ax", 2);
    other.platform = "linux/arm64";
    b.all.apply(b.all.make_remote({"ax", "a", {}}, other, 1).value());
    b.remove("ac");
    CHECK(b.held() == texts{"ac", "ax"});
  }
  CHECK(b.settle() == 0);
}

TEST_CASE("whatever comes and goes, each snapshot can be shown by an image that is held") {
  CHECK(rc::check("images of snapshots", [](std::uint32_t seed) {
    std::mt19937 source(seed);
    const auto below = [&](std::size_t limit) {
      return std::uniform_int_distribution<std::size_t>(0, limit - 1)(source);
    };
    bench b;
    std::size_t made = 0;
    const auto any = [&]() -> std::string {
      std::vector<std::string> names;
      b.all.each([&](const snapshot_record& record) { names.push_back(record.name); });
      return names.empty() ? std::string() : names[below(names.size())];
    };
    for (int step = 0; step < 60; ++step) {
      if (const auto what = below(6); what < 2) {
        std::string image;
        while (image.empty() || (image.size() < 5 && below(4) != 0))
          image += static_cast<char>('a' + below(2));
        b.pull(image, 1 + below(image.size()));
      } else if (what < 4) {
        if (const auto name = any(); b.all.remove(name)) b.remove(name);
      } else if (const auto parent = any();
                 parent.empty() || b.all.find(parent)->kind == snapshot_kind::committed) {
        const auto name = "own " + std::to_string(++made);
        if (below(3) == 0)
          b.unpack(name, parent);
        else
          b.make(below(2) == 0 ? snapshot_kind::view : snapshot_kind::active, name, parent);
      }

      std::map<std::string, std::optional<remote_layers>> used;
      const auto note_used = [&](auto&& note) {
        b.all.each([&](const snapshot_record& record) {
          if (record.kind != snapshot_kind::committed) note(record.name, remote_below(b.all.parents(record)));
        });
      };
      note_used([&](const auto& name, const auto& shown) { used[name] = shown; });
      const auto needed = snapshot_needs_of(b.all);
      b.settle();
      RC_ASSERT(b.settle() == 0U);
      RC_ASSERT(snapshot_needs_of(b.all).manifests == needed.manifests);
      texts in_use;
      note_used([&](const auto& name, const auto& shown) {
        RC_ASSERT(used.at(name) == shown);
        if (!shown) return;
        in_use.insert(b.images.at(shown->manifest).substr(0, shown->layers));
        RC_ASSERT(!is_inner(*shown) || needed.references.contains(inner_reference(*shown)));
      });
      std::set<digest> named;
      b.all.each([&](const snapshot_record& record) {
        if (!record.remote) return;
        const auto& image = b.images.at(record.remote->manifest);
        RC_ASSERT(record.remote->of == image.size());
        RC_ASSERT(image.substr(0, record.remote->layers) == record.name);
        const bool is_held = needed.manifests.contains(record.remote->manifest);
        RC_ASSERT(is_held || in_use.contains(record.name));
        RC_ASSERT(is_held || is_inner(*record.remote));
        named.insert(record.remote->manifest);
      });
      for (const auto& manifest : needed.manifests) RC_ASSERT(named.contains(manifest));
    }
  }));
}
