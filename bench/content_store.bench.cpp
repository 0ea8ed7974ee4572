// Claim: writing many small contents costs little more than making the files, and the index stays small.
//   bench_content_store [COUNT=20000] [BYTES=4096]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "storage/content_store.hpp"
#include "storage/database.hpp"
#include "storage/sha256.hpp"

using namespace firstlight;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

long resident_kib() {
  std::ifstream status("/proc/self/statm");
  long total = 0;
  long resident = 0;
  status >> total >> resident;
  return resident * 4;
}

std::vector<std::byte> numbered(std::size_t size, std::uint64_t number) {
  std::vector<std::byte> bytes(size);
  std::mt19937_64 random(number);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random() & 0xffU);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  const auto size = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 4096;
  auto pattern = (std::filesystem::temp_directory_path() / "firstlight-bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return 1;
  const std::filesystem::path folder(pattern);
  {
    const auto metadata = database::open(folder / "db").value();
    const auto store = content_store::open(folder / "contents", *metadata, {}, 512).value();
    std::vector<std::pair<content_info, std::vector<std::byte>>> all;
    for (std::uint64_t i = 0; i < count; ++i) {
      auto bytes = numbered(size, i);
      content_info content{{sha256_merkle().leaf(bytes)}, bytes.size()};
      all.emplace_back(content, std::move(bytes));
    }
    const auto before = resident_kib();
    auto start = std::chrono::steady_clock::now();
    for (const auto& [content, bytes] : all)
      if (!store->write(content, 0, bytes)) return 1;
    const auto write = seconds_since(start);
    const auto after = resident_kib();
    start = std::chrono::steady_clock::now();
    if (!store->checkpoint()) return 1;
    const auto checkpoint = seconds_since(start);
    start = std::chrono::steady_clock::now();
    std::vector<std::byte> into(size);
    for (const auto& [content, bytes] : all)
      if (!store->read(content, 0, into)) return 1;
    const auto read = seconds_since(start);
    std::printf(
        "%llu contents of %llu bytes: write %.2f s (%.0f us each), checkpoint %.2f s, read %.2f s, "
        "memory %+ld KiB\n",
        static_cast<unsigned long long>(count), static_cast<unsigned long long>(size), write,
        1e6 * write / static_cast<double>(count), checkpoint, read, after - before);
    std::printf(
        "{\"contents\":%llu,\"bytes\":%llu,\"write_s\":%.3f,\"checkpoint_s\":%.3f,\"read_s\":%.3f,"
        "\"memory_kib\":%ld}\n",
        static_cast<unsigned long long>(count), static_cast<unsigned long long>(size), write, checkpoint,
        read, after - before);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return 0;
}
