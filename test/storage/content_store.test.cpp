#include "storage/content_store.hpp"

#include <fcntl.h>
#include <rapidcheck.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <thread>

#include "test/harness/skipped.hpp"
#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

constexpr std::size_t block = default_block_bytes;

std::filesystem::path file_of(const std::filesystem::path& folder, const content_info& content) {
  const auto digits = content.id.root.hex();
  return folder / "contents" / "contents" / digits.substr(0, 2) / digits.substr(2);
}

/// A tmpfs of a few MiB, unmounted at the end.
class small_disk {
 public:
  explicit small_disk(const std::filesystem::path& at) : path_(at) {
    if (::mount("none", path_.c_str(), "tmpfs", 0, "size=24m") != 0) path_.clear();
  }
  ~small_disk() {
    if (!path_.empty()) ::umount2(path_.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  [[nodiscard]] bool there() const { return !path_.empty(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a new content can be read back and is stored once") {
  temporary_folder folder;
  opened_store store(folder.path());
  for (const std::size_t size :
       {std::size_t{1}, block - 1, block, block + 1, 5 * block, std::size_t{3'000'000}}) {
    const auto bytes = some_bytes(size, size);
    const auto content = store.put(bytes);
    CHECK(content == info_of(bytes));
    CHECK(store.put(bytes) == content);
    CHECK(store.contents->state(content.id) == content_state::complete);
    CHECK(store.contents->blocks(content).complete());
    CHECK(*store.get(content) == bytes);
    CHECK(*store.contents->leaves(content) == leaves_of(bytes));
  }
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  store.contents->for_each([&](const content_info& content, content_state) {
    ++count;
    bytes += content.size;
  });
  CHECK(count == 6);
  CHECK(store.contents->bytes_stored() == bytes);
}

TEST_CASE("a new content may come in parts of any size") {
  temporary_folder folder;
  opened_store store(folder.path());
  CHECK(rc::check([&] {
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    const auto bytes = some_bytes(1 + random() % 3'000'000, random() % 100);
    auto writer = store.contents->new_content();
    bytes_view rest(bytes);
    while (!rest.empty()) {
      const auto taken = std::min(rest.size(), std::size_t{1} + random() % 900'000);
      RC_ASSERT(writer->append(rest.first(taken)).has_value());
      rest = rest.subspan(taken);
    }
    RC_ASSERT(writer->finish().value() == info_of(bytes));
    RC_ASSERT(store.get(info_of(bytes)).value() == bytes);
  }));
}

TEST_CASE("an empty content and an unfinished writer leave nothing behind") {
  temporary_folder folder;
  opened_store store(folder.path());
  CHECK(store.contents->new_content()->finish().error().code == errc::invalid_argument);
  REQUIRE(store.contents->new_content()->append(some_bytes(3'000'000, 1)));
  CHECK(std::filesystem::is_empty(folder.path() / "contents" / "new"));
  CHECK(store.contents->bytes_stored() == 0);
}

TEST_CASE("blocks arrive in any order and are readable as soon as they are there") {
  temporary_folder folder;
  opened_store store(folder.path());
  CHECK(rc::check([&] {
    // Not rapidcheck's own ranges: at small sizes they give the same value for ever.
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    const auto bytes = some_bytes(1 + random() % (20 * block), random());
    const auto content = info_of(bytes);
    const auto count = block_geometry{}.count(content.size);
    block_set model(count);
    if (store.contents->state(content.id) == content_state::complete) return;
    while (!model.complete()) {
      const auto first = static_cast<std::uint32_t>(random() % count);
      const auto run = static_cast<std::uint32_t>(1 + random() % (count - first));
      const auto length = block_geometry{}.length(content.size, first, run);
      const auto state =
          store.contents->write(content, first, bytes_view(bytes).subspan(first * block, length));
      model.insert(first, run);
      RC_ASSERT(state.value() == (model.complete() ? content_state::complete : content_state::partial));
      RC_ASSERT(store.contents->blocks(content) == model);
      const auto probe = static_cast<std::uint32_t>(random() % count);
      std::vector<std::byte> into(block_geometry{}.length(content.size, probe, 1));
      const auto got = store.contents->read(content, probe * block, into);
      RC_ASSERT(got.has_value() == model.contains(probe));
      if (got)
        RC_ASSERT(
            std::equal(into.begin(), into.end(), bytes.begin() + static_cast<std::ptrdiff_t>(probe * block)));
      if (!got) RC_ASSERT(got.error().code == errc::not_ready);
    }
    RC_ASSERT(store.get(content).value() == bytes);
  }));
}

TEST_CASE("bytes that do not end on a block are refused") {
  temporary_folder folder;
  opened_store store(folder.path());
  const auto bytes = some_bytes(3 * block + 5, 1);
  const auto content = info_of(bytes);
  const auto refused = [&](std::uint32_t first, std::size_t length) {
    return store.contents->write(content, first, some_bytes(length, 2)).error().code ==
           errc::invalid_argument;
  };
  CHECK(refused(0, block - 1));
  CHECK(refused(0, 0));
  CHECK(refused(3, 6));
  CHECK(refused(4, 1));
  CHECK(store.contents->state(content.id) == content_state::absent);
}

TEST_CASE("a restart keeps what was checkpointed and forgets the rest") {
  temporary_folder folder;
  const auto small = some_bytes(100, 1);
  const auto late = some_bytes(200, 2);
  const auto large = some_bytes(10 * block, 3);
  const auto content = info_of(large);
  {
    opened_store store(folder.path());
    store.put(small);
    REQUIRE(store.contents->write(content, 2, bytes_view(large).subspan(2 * block, 3 * block)));
    REQUIRE(store.contents->checkpoint());
    store.put(late);
    REQUIRE(store.contents->write(content, 7, bytes_view(large).subspan(7 * block, block)));
  }
  opened_store store(folder.path());
  CHECK(*store.get(info_of(small)) == small);
  CHECK(store.contents->state(info_of(late).id) == content_state::absent);
  CHECK_FALSE(std::filesystem::exists(file_of(folder.path(), info_of(late))));
  block_set expected(10);
  expected.insert(2, 3);
  CHECK(store.contents->blocks(content) == expected);
  CHECK(store.contents->bytes_stored() == 100 + 3 * block);
}

TEST_CASE("a content completed after the last checkpoint goes back to the blocks of that one") {
  temporary_folder folder;
  const auto bytes = some_bytes(4 * block, 9);
  const auto content = info_of(bytes);
  {
    opened_store store(folder.path());
    REQUIRE(store.contents->write(content, 0, bytes_view(bytes).first(block)));
    REQUIRE(store.contents->checkpoint());
    CHECK(*store.contents->write(content, 1, bytes_view(bytes).subspan(block)) == content_state::complete);
  }
  opened_store store(folder.path());
  CHECK(store.contents->state(content.id) == content_state::partial);
  std::vector<std::byte> first(block);
  REQUIRE(store.contents->read(content, 0, first));
  CHECK(std::equal(first.begin(), first.end(), bytes.begin()));
}

TEST_CASE("a complete content whose file is missing or has another size is forgotten") {
  temporary_folder folder;
  const auto missing = some_bytes(100, 1);
  const auto shorter = some_bytes(200, 2);
  {
    opened_store store(folder.path());
    store.put(missing);
    store.put(shorter);
    REQUIRE(store.contents->checkpoint());
  }
  std::filesystem::remove(file_of(folder.path(), info_of(missing)));
  std::filesystem::resize_file(file_of(folder.path(), info_of(shorter)), 50);
  opened_store store(folder.path());
  CHECK(store.contents->lost_at_opening() == 2);
  CHECK(store.contents->state(info_of(missing).id) == content_state::absent);
  CHECK(store.contents->state(info_of(shorter).id) == content_state::absent);
  CHECK(store.put(missing) == info_of(missing));
}

TEST_CASE("a file that is damaged from outside is corrupt and can be fetched again") {
  temporary_folder folder;
  opened_store store(folder.path());
  const auto bytes = some_bytes(3 * block, 1);
  const auto content = store.put(bytes);
  std::filesystem::remove(file_of(folder.path(), content));
  CHECK(store.get(content).error().code == errc::corrupt);
  CHECK(store.contents->open_complete(content).error().code == errc::corrupt);
  REQUIRE(store.contents->remove(content.id));
  CHECK(store.get(content).error().code == errc::not_ready);
  REQUIRE(store.contents->write(content, 0, bytes));
  CHECK(*store.get(content) == bytes);
}

TEST_CASE("lost leaf hashes are computed again") {
  temporary_folder folder;
  opened_store store(folder.path());
  const auto bytes = some_bytes(9 * block + 3, 1);
  REQUIRE(store.contents->write(info_of(bytes), 0, bytes));
  CHECK(*store.contents->leaves(info_of(bytes)) == leaves_of(bytes));
}

TEST_CASE("a removed content is gone, also after a restart, and an open descriptor stays valid") {
  temporary_folder folder;
  const auto bytes = some_bytes(2 * block, 1);
  const auto content = info_of(bytes);
  {
    opened_store store(folder.path());
    store.put(bytes);
    REQUIRE(store.contents->checkpoint());
    const auto file = store.contents->open_complete(content);
    REQUIRE(file);
    REQUIRE(store.contents->remove(content.id));
    std::byte one{};
    CHECK(::pread(*file, &one, 1, 0) == 1);
    CHECK(one == bytes.front());
    ::close(*file);
    CHECK(store.contents->bytes_stored() == 0);
    REQUIRE(store.contents->remove(content.id));
  }
  opened_store store(folder.path());
  CHECK(store.contents->state(content.id) == content_state::absent);
}

TEST_CASE("a store refuses another block size than its own") {
  temporary_folder folder;
  opened_store store(folder.path());
  const auto other = content_store::open(folder.path() / "contents", *store.metadata, {4096}, 16);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == errc::invalid_argument);
}

TEST_CASE("many threads write and read at once") {
  temporary_folder folder;
  opened_store store(folder.path(), /*open_files_max=*/8);
  std::vector<std::vector<std::byte>> all;
  for (std::uint64_t i = 0; i < 24; ++i) all.push_back(some_bytes(1 + i * 9001, i));
  std::atomic<int> wrong = 0;
  const auto work = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int round = 0; round < 200; ++round) {
      const auto& bytes = all[random() % all.size()];
      const auto content = info_of(bytes);
      const auto first = static_cast<std::uint32_t>(random() % block_geometry{}.count(content.size));
      const auto length = block_geometry{}.length(content.size, first, 1);
      if (!store.contents->write(content, first, bytes_view(bytes).subspan(first * block, length))) ++wrong;
      if (random() % 50 == 0 && !store.contents->remove(content.id)) ++wrong;
      if (random() % 100 == 0 && !store.contents->checkpoint()) ++wrong;
      const auto got = store.get(content);
      if (got ? *got != bytes : got.error().code != errc::not_ready) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a full disk is no_space and loses nothing that was there") {
  temporary_folder folder;
  const small_disk disk(folder.path());
  if (!disk.there()) {
    test::note_skipped("mounting a tmpfs is not permitted here");
    return;
  }
  opened_store store(folder.path());
  std::vector<std::vector<std::byte>> kept;
  std::optional<error> refused;
  for (std::uint64_t i = 0; i < 100 && !refused; ++i) {
    auto bytes = some_bytes(900'000, i);
    const auto stored = store.contents->write(info_of(bytes), 0, bytes);
    if (stored)
      kept.push_back(std::move(bytes));
    else
      refused = stored.error();
  }
  REQUIRE(refused);
  CHECK(refused->code == errc::no_space);
  CHECK(kept.size() > 5);
  for (const auto& bytes : kept) CHECK(*store.get(info_of(bytes)) == bytes);
  REQUIRE(store.contents->remove(info_of(kept.back()).id));
  REQUIRE(store.contents->write(info_of(some_bytes(400'000, 1000)), 0, some_bytes(400'000, 1000)));
}

TEST_CASE("after kill -9 everything checkpointed is whole and nothing partial is called complete") {
  for (std::uint64_t round = 0; round < 6; ++round) {
    temporary_folder folder;
    int report[2];
    REQUIRE(::pipe(report) == 0);
    const auto child = ::fork();
    if (child == 0) {
      // Writes contents by their numbers, checkpoints now and then, and reports how many are durable.
      opened_store store(folder.path());
      for (std::uint32_t i = 0;; ++i) {
        const auto bytes = some_bytes(1 + (i * 7919U) % (6 * block), i);
        const auto content = info_of(bytes);
        const auto half = std::min<std::size_t>(bytes.size(), block);
        if (!store.contents->write(content, 0, bytes_view(bytes).first(half))) ::_exit(1);
        if (bytes.size() > half && i % 3 != 0 &&
            !store.contents->write(content, 1, bytes_view(bytes).subspan(half)))
          ::_exit(1);
        if (i % 20 != 19) continue;
        if (!store.contents->checkpoint() || ::write(report[1], &i, sizeof i) != sizeof i) ::_exit(1);
      }
    }
    ::close(report[1]);
    std::uint32_t durable = 0;
    for (std::uint64_t i = 0; i <= round * 2; ++i)
      REQUIRE(::read(report[0], &durable, sizeof durable) == sizeof durable);
    ::usleep(static_cast<useconds_t>(round * 3001));  // somewhere inside the next batch
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    ::close(report[0]);

    opened_store store(folder.path());
    for (std::uint32_t i = 0; i <= durable; ++i) {
      const auto bytes = some_bytes(1 + (i * 7919U) % (6 * block), i);
      const auto content = info_of(bytes);
      const bool whole = bytes.size() <= block || i % 3 != 0;
      REQUIRE(store.contents->state(content.id) ==
              (whole ? content_state::complete : content_state::partial));
      std::vector<std::byte> into(whole ? bytes.size() : block);
      REQUIRE(store.contents->read(content, 0, into));
      REQUIRE(std::equal(into.begin(), into.end(), bytes.begin()));
    }
    store.contents->for_each([&](const content_info& content, content_state state) {
      if (state == content_state::complete) CHECK(info_of(*store.get(content)) == content);
    });
  }
}

}  // namespace firstlight
