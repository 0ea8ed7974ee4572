#include "storage/database.hpp"

#include <catch2/catch.hpp>

#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

constexpr table rows{"rows"};

std::uintmax_t bytes_of_files(const std::filesystem::path& folder, const std::string& extension) {
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == extension) bytes += file.file_size();
  return bytes;
}

/// That does not get smaller.
std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (auto& byte : text) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24U);
  }
  return text;
}

}  // namespace

TEST_CASE("large rows are not beside small ones on the disk, and are read, scanned and removed like these") {
  const temporary_folder folder;
  const auto large = noise(500'000);
  {
    const auto made = database::open(folder.path()).value();
    REQUIRE(made->put(rows, "a", "small"));
    REQUIRE(made->put(rows, "b", large));
    REQUIRE(made->put(rows, "c", "small too"));
  }
  const auto opened = database::open(folder.path()).value();  // that writes what the log has to tables
  CHECK(bytes_of_files(folder.path(), ".sst") < large.size() / 10);
  CHECK(bytes_of_files(folder.path(), ".blob") >= large.size());
  CHECK(opened->get(rows, "a").value() == "small");
  CHECK(opened->get(rows, "b").value() == large);
  std::string keys;
  REQUIRE(opened->scan(rows, "", [&](std::string_view key, std::string_view value) {
    CHECK(value.size() == (key == "b" ? large.size() : key == "a" ? 5 : 9));
    keys += key;
    return scan_step::next;
  }));
  CHECK(keys == "abc");
  REQUIRE(opened->erase(rows, "b"));
  CHECK_FALSE(opened->get(rows, "b").value());
}

}  // namespace firstlight
