#pragma once
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "model/bytes.hpp"

namespace firstlight {

/// SEGMENT CACHE (hub): packed frames by what they hold, in files below a folder, least recently used
/// ones deleted beyond a limit. A damaged or truncated file counts as absent. All members from any
/// thread; they read and write files.
class segment_cache {
 public:
  /// Opens or makes the cache. Errors: `io`, `denied`, `no_space`.
  static result<std::unique_ptr<segment_cache>> open(std::filesystem::path folder, std::uint64_t bytes_max);

  using builder = std::function<result<std::vector<std::byte>>()>;
  /// The frame of `key`, built and kept when it is not there. When two threads want the same one, one
  /// builds and the other waits for it. A frame that cannot be kept (disk full) is returned all the same.
  /// Errors: those of `build`.
  result<shared_bytes> get_or_build(const digest& key, const builder& build);

  /// The frame of `key` if it is kept.
  std::optional<shared_bytes> find(const digest& key);

  /// Bytes of the frame of `key` if it is kept; that is no use of it.
  [[nodiscard]] std::optional<std::uint64_t> size_of(const digest& key) const;

  /// Keeps the frame of `key`, which nobody builds with `get_or_build`. Errors: `io`, `no_space`.
  result<void> put(const digest& key, bytes_view frame);

  /// Deletes the frame of `key`: it is built anew when it is wanted next.
  void forget(const digest& key);

  struct counters {
    std::uint64_t hits = 0;
    std::uint64_t builds = 0;
    std::uint64_t bytes = 0;  ///< on disk now
    std::uint64_t write_failures = 0;
    std::uint64_t put = 0;  ///< frames that were kept before anybody wanted them
  };
  [[nodiscard]] counters count() const;

 private:
  segment_cache(std::filesystem::path folder, std::uint64_t bytes_max);
  result<void> load();
  [[nodiscard]] std::filesystem::path path_of(const digest& key) const;
  result<shared_bytes> read(const digest& key) const;
  result<void> keep(const digest& key, bytes_view frame);
  result<shared_bytes> build_and_keep(const digest& key, const builder& build);
  void add(const digest& key, std::uint64_t bytes);
  void evict();

  struct entry {
    digest key;
    std::uint64_t bytes = 0;
  };
  std::filesystem::path folder_;
  std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> next_{0};  ///< of temporary files
  mutable std::mutex lock_;
  std::condition_variable built_;
  std::unordered_set<digest> building_;
  std::list<entry> recent_;  // front: used last
  std::unordered_map<digest, std::list<entry>::iterator> places_;
  counters counters_;
};

}  // namespace firstlight
