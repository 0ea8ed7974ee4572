#include "storage/archive/tar_writer.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <cstring>

#include "storage/archive/tar_reader.hpp"

using namespace firstlight;

namespace {

class text_source final : public byte_source {
 public:
  explicit text_source(std::string text) : text_(std::move(text)) {}
  result<std::size_t> read(std::span<std::byte> into) override {
    const auto bytes = std::min(into.size(), text_.size() - at_);
    std::memcpy(into.data(), text_.data() + at_, bytes);
    at_ += bytes;
    return bytes;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

struct file {
  layer_entry entry;
  std::string data;
};

std::string written(const std::vector<file>& files) {
  std::string tar;
  tar_writer writer([&](bytes_view bytes) -> result<void> {
    tar.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  });
  for (const auto& [entry, data] : files) {
    REQUIRE(writer.begin(entry, data.size()));
    REQUIRE(writer.data(std::as_bytes(std::span(data))));
    REQUIRE(writer.end_entry());
  }
  REQUIRE(writer.end());
  return tar;
}

layer_entry random_entry() {
  const auto text = [](std::size_t most) {
    const auto bytes = *rc::gen::inRange<std::size_t>(1, most);
    return *rc::gen::container<std::string>(bytes, rc::gen::inRange('a', 'z'));
  };
  layer_entry entry;
  entry.type = static_cast<layer_entry_type>(*rc::gen::inRange(1, 8));
  entry.path = text(300);
  entry.permissions = static_cast<std::uint16_t>(*rc::gen::inRange(0, 010000));
  entry.uid = *rc::gen::arbitrary<std::uint32_t>();
  entry.gid = *rc::gen::inRange<std::uint32_t>(0, 5'000'000);
  entry.modified = {*rc::gen::inRange<std::int64_t>(-5'000'000'000, 20'000'000'000),
                    *rc::gen::element<std::uint32_t>(0U, 1U, 250'000'000U, 999'999'999U)};
  if (entry.type == layer_entry_type::symlink || entry.type == layer_entry_type::hard_link)
    entry.link_target = text(300);
  if (entry.type == layer_entry_type::character_device || entry.type == layer_entry_type::block_device) {
    entry.device_major = *rc::gen::inRange<std::uint32_t>(0, 4096);
    entry.device_minor = *rc::gen::inRange<std::uint32_t>(0, 1U << 20U);
  }
  if (*rc::gen::arbitrary<bool>()) entry.xattrs.push_back({"user." + text(30), text(2000) + '\0' + "=\n"});
  return entry;
}

}  // namespace

TEST_CASE("what the tar writer writes the reader reads") {
  CHECK(rc::check([] {
    std::vector<file> files;
    for (auto left = *rc::gen::inRange(0, 6); left > 0; --left) {
      file one{random_entry(), {}};
      if (one.entry.type == layer_entry_type::regular)
        one.data = std::string(*rc::gen::inRange<std::size_t>(0, 3'000), 'x');
      files.push_back(std::move(one));
    }
    const auto tar = written(files);
    RC_ASSERT(tar.size() % 512 == 0);
    text_source source(tar);
    const ingest_limits limits;
    tar_reader reader(source, limits);
    for (const auto& [entry, data] : files) {
      const auto got = reader.next();
      RC_ASSERT(got.has_value());
      RC_ASSERT(got->has_value());
      auto expected = entry;
      if (entry.type == layer_entry_type::directory) expected.path += "/";
      RC_ASSERT((*got)->entry == expected);
      RC_ASSERT((*got)->size == data.size());
      std::string back(data.size(), '\0');
      for (std::size_t at = 0; at < back.size();) {
        const auto bytes = reader.read(std::as_writable_bytes(std::span(back).subspan(at)));
        RC_ASSERT(bytes.has_value());
        RC_ASSERT(*bytes > 0);
        at += *bytes;
      }
      RC_ASSERT(back == data);
    }
    const auto end = reader.next();
    RC_ASSERT(end.has_value());
    RC_ASSERT(!end->has_value());
  }));
}

TEST_CASE("an entry takes exactly the bytes that it announced") {
  tar_writer writer([](bytes_view) -> result<void> { return {}; });
  layer_entry entry;
  entry.path = "file";
  REQUIRE(writer.begin(entry, 3));
  const std::string four = "four";
  CHECK(writer.data(std::as_bytes(std::span(four))).error().code == errc::invalid_argument);
  CHECK(writer.end_entry().error().code == errc::invalid_argument);
}
