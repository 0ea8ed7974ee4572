// Claim: 16 KiB is the right block size. Over a directory tree (an unpacked image) it compares block sizes:
// packed bytes of all segments, Merkle nodes, blocks and requests; and, with a list of touched reads (lines
// "path offset length"; without one: scattered pages of all programs and libraries), the bytes until all of
// them are there. Also speed and size of compression levels at 16 KiB.
//   bench_block_size FOLDER [TOUCHED]
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "model/merkle.hpp"
#include "storage/zstd.hpp"

using namespace firstlight;

namespace {

struct file {
  std::string path;
  std::vector<std::byte> bytes;
};
struct touch {
  std::size_t file = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

constexpr std::uint64_t bytes_max = 600ULL << 20U;
constexpr std::size_t segment_bytes = 1U << 20U;
constexpr double node_bytes = 48;  // of one ProofNode on the wire

std::vector<file> load(const std::filesystem::path& root) {
  std::vector<file> files;
  std::uint64_t total = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || entry.is_symlink() || entry.file_size() == 0) continue;
    if ((total += entry.file_size()) > bytes_max) break;
    std::ifstream from(entry.path(), std::ios::binary);
    std::vector<std::byte> bytes(entry.file_size());
    from.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    files.push_back({std::filesystem::relative(entry.path(), root).string(), std::move(bytes)});
  }
  std::sort(files.begin(), files.end(), [](const file& a, const file& b) { return a.path < b.path; });
  return files;
}

/// Pages in small clusters, about a third of the file: what page faults of a starting program look like.
void touch_scattered(std::size_t index, std::uint64_t size, std::vector<touch>& touched) {
  constexpr std::uint64_t page = 4096;
  std::mt19937_64 random(index);
  for (std::uint64_t at = 0; at < size;) {
    const auto length = page * (1 + random() % 6);
    touched.push_back({index, at, length});
    at += length + page * (random() % 16);
  }
}

std::vector<touch> load_touched(const std::vector<file>& files, const char* list) {
  std::map<std::string, std::size_t> by_path;
  for (std::size_t i = 0; i < files.size(); ++i) by_path[files[i].path] = i;
  std::vector<touch> touched;
  if (list == nullptr) {
    for (std::size_t i = 0; i < files.size(); ++i)
      if (files[i].path.find("bin/") != std::string::npos || files[i].path.find(".so") != std::string::npos)
        touch_scattered(i, files[i].bytes.size(), touched);
    return touched;
  }
  std::ifstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string path;
    touch one;
    if (!(fields >> path >> one.offset >> one.length)) continue;
    const auto found = by_path.find(path.starts_with('/') ? path.substr(1) : path);
    if (found == by_path.end()) continue;
    one.file = found->second;
    touched.push_back(one);
  }
  return touched;
}

/// The touched blocks, by file, in the order of first touch of the files.
std::vector<std::pair<std::size_t, block_set>> touched_blocks(const std::vector<file>& files,
                                                              const std::vector<touch>& touched,
                                                              block_geometry geometry) {
  std::vector<std::pair<std::size_t, block_set>> sets;
  std::map<std::size_t, std::size_t> places;
  for (const auto& one : touched) {
    const auto size = files[one.file].bytes.size();
    if (one.length == 0 || one.offset >= size) continue;
    const auto place = places.try_emplace(one.file, sets.size());
    if (place.second) sets.emplace_back(one.file, block_set(geometry.count(size)));
    const auto first = static_cast<std::uint32_t>(one.offset / geometry.block_bytes);
    const auto last = static_cast<std::uint32_t>(
        (std::min<std::uint64_t>(size, one.offset + one.length) - 1) / geometry.block_bytes);
    sets[place.first->second].second.insert(first, last - first + 1);
  }
  return sets;
}

/// Packs pieces into segments and counts.
struct packer {
  int level;
  std::vector<std::byte> segment = {};
  std::uint64_t unpacked = 0, packed = 0, segments = 0;

  void add(bytes_view bytes) {
    segment.insert(segment.end(), bytes.begin(), bytes.end());
    if (segment.size() >= segment_bytes) flush();
  }
  void flush() {
    if (segment.empty()) return;
    unpacked += segment.size();
    packed += compress(segment, level).value().size();
    ++segments;
    segment.clear();
  }
};

void compare_block_sizes(const std::vector<file>& files, const std::vector<touch>& touched) {
  std::printf("%8s %10s %10s | %9s %9s %9s %8s %8s\n", "block", "blocks", "leaves KB", "ready MB",
              "packed MB", "nodes KB", "nodes %", "runs");
  std::string json;
  for (const std::uint32_t kib : {4U, 8U, 16U, 32U, 64U}) {
    const block_geometry geometry{kib * 1024};
    std::uint64_t blocks = 0;
    std::uint64_t leaves = 0;
    for (const auto& each : files) {
      const auto count = geometry.count(each.bytes.size());
      blocks += count;
      leaves += count > 1 ? count * sizeof(digest) : 0;
    }
    packer ready{3};
    std::uint64_t nodes = 0;
    std::uint64_t runs = 0;
    for (const auto& [index, set] : touched_blocks(files, touched, geometry)) {
      const auto& bytes = files[index].bytes;
      block_set inverted(set.blocks());
      for (const auto& gap : set.missing(0, 0, set.blocks())) inverted.insert(gap.first, gap.count);
      const auto own = inverted.missing(0, 0, set.blocks());
      nodes += proof_for(set.blocks(), own).size();
      runs += own.size();
      for (const auto& run : own)
        ready.add(bytes_view(bytes).subspan(geometry.offset(run.first),
                                            geometry.length(bytes.size(), run.first, run.count)));
    }
    ready.flush();
    const auto node_total = node_bytes * static_cast<double>(nodes);
    const auto share = 100 * node_total / (static_cast<double>(ready.packed) + node_total);
    std::printf("%5u KB %10llu %10.0f | %9.2f %9.2f %9.1f %7.2f%% %8llu\n", kib,
                static_cast<unsigned long long>(blocks), static_cast<double>(leaves) / 1e3,
                static_cast<double>(ready.unpacked) / 1e6, static_cast<double>(ready.packed) / 1e6,
                node_total / 1e3, share, static_cast<unsigned long long>(runs));
    json += (json.empty() ? "" : ",") + ("{\"block_kib\":" + std::to_string(kib)) +
            ",\"blocks\":" + std::to_string(blocks) + ",\"ready_bytes\":" + std::to_string(ready.unpacked) +
            ",\"ready_packed_bytes\":" + std::to_string(ready.packed) +
            ",\"proof_bytes\":" + std::to_string(static_cast<std::uint64_t>(node_total)) +
            ",\"runs\":" + std::to_string(runs) + "}";
  }
  std::printf("{\"block_sizes\":[%s]}\n", json.c_str());
}

void compare_levels(const std::vector<file>& files) {
  std::printf("\n%6s %10s %7s %10s %14s\n", "level", "packed MB", "ratio", "MB/s", "cores@100Mbit");
  std::string json;
  for (const int level : {1, 3, 5, 7, 9, 12}) {
    packer all{level};
    const auto start = std::clock();
    for (const auto& each : files) all.add(each.bytes);
    all.flush();
    const auto seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    const auto ratio = static_cast<double>(all.packed) / static_cast<double>(all.unpacked);
    const auto speed = static_cast<double>(all.unpacked) / 1e6 / seconds;
    const auto cores = 12.5 / ratio / speed;  // 100 Mbit/s of packed bytes
    std::printf("%6d %10.1f %7.3f %10.0f %14.2f\n", level, static_cast<double>(all.packed) / 1e6, ratio,
                speed, cores);
    json += (json.empty() ? "" : ",") + ("{\"level\":" + std::to_string(level)) +
            ",\"ratio\":" + std::to_string(ratio) + ",\"mb_per_s\":" + std::to_string(speed) + "}";
  }
  std::printf("{\"levels\":[%s]}\n", json.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_block_size FOLDER [TOUCHED]\n");
    return 2;
  }
  const auto files = load(argv[1]);
  const auto touched = load_touched(files, argc > 2 ? argv[2] : nullptr);
  std::uint64_t bytes = 0;
  for (const auto& each : files) bytes += each.bytes.size();
  std::printf("%zu files, %.1f MB, %zu touched reads\n", files.size(), static_cast<double>(bytes) / 1e6,
              touched.size());
  compare_block_sizes(files, touched);
  compare_levels(files);
  return 0;
}
