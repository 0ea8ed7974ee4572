// Claim: the EROFS image of 20,000 files is written in less than 30 ms and takes less than 400 bytes a file.
//   bench_erofs_image [FOLDER=/usr] [REPEATS=9]

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "storage/erofs/erofs_image.hpp"
#include "storage/sha256.hpp"
#include "test/harness/folder_tree.hpp"

using namespace firstlight;

namespace {

using clock_type = std::chrono::steady_clock;

double milliseconds_since(clock_type::time_point start) {
  return std::chrono::duration<double, std::milli>(clock_type::now() - start).count();
}

double median(std::vector<double> all) {
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  return all[all.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/usr";
  const auto repeats = argc > 2 ? std::max(1, std::atoi(argv[2])) : 9;
  const auto tree = tree_of_folder(folder);
  const auto toc = toc_view::open(share(encode_toc({}, tree).value())).value();
  if (!toc->learn_contents(share(encode_content_ids(tree)))) return 1;
  const toc_id id{sha256(toc->message())};
  auto pattern = (std::filesystem::temp_directory_path() / "firstlight-bench-XXXXXX").string();
  const int file = mkstemp(pattern.data());
  if (file < 0) return 1;
  std::vector<double> plans;
  std::vector<double> writes;
  std::uint64_t bytes = 0;
  bool written = true;
  for (int i = 0; i < repeats; ++i) {
    written = written && ftruncate(file, 0) == 0;
    auto start = clock_type::now();
    const auto image = erofs_image::plan(toc, id).value();
    plans.push_back(milliseconds_since(start));
    start = clock_type::now();
    written = written && image.write(file).has_value();
    writes.push_back(milliseconds_since(start));
    bytes = image.bytes();
  }
  ::unlink(pattern.c_str());
  ::close(file);
  if (!written) return 1;
  const auto inodes = static_cast<double>(toc->inode_count());
  const double per_20000 = 20'000 / inodes;
  std::printf(
      "%s: %u inodes, %llu bytes (%.1f an inode); plan %.2f ms, write %.2f ms; of 20,000: %.2f + %.2f\n",
      folder.c_str(), toc->inode_count(), static_cast<unsigned long long>(bytes),
      static_cast<double>(bytes) / inodes, median(plans), median(writes), median(plans) * per_20000,
      median(writes) * per_20000);
  std::printf("{\"inodes\":%u,\"bytes\":%llu,\"plan_ms\":%.3f,\"write_ms\":%.3f}\n", toc->inode_count(),
              static_cast<unsigned long long>(bytes), median(plans), median(writes));
  return 0;
}
