#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/store_limits.hpp"
#include "model/digest.hpp"

namespace firstlight {

/// A named part of the database. The name is short, constant and unique in the program; it becomes a
/// prefix of the keys: `inline constexpr table contents_table{"content"};`
struct table {
  std::string_view name;
};

/// Whether a write survives a power cut when the call returns (`synced`), or only the end of the
/// process (`buffered`). A synced write makes all earlier buffered ones durable too.
enum class durability : std::uint8_t { buffered, synced };

/// Changes that are made together or not at all. A value.
class write_batch {
 public:
  void put(table where, std::string_view key, std::string_view value);
  void erase(table where, std::string_view key);
  [[nodiscard]] std::size_t size() const { return changes_.size(); }
  [[nodiscard]] bool empty() const { return changes_.empty(); }

 private:
  friend class database;
  struct change {
    std::string key;
    std::optional<std::string> value;  // nothing: erase
  };
  std::vector<change> changes_;
};

/// Whether a scan goes on after an entry.
enum class scan_step : std::uint8_t { next, stop };

/// DATABASE: RocksDB with small memory. One process at a time; all members from any thread. Calls
/// may block on the disk.
class database {
 public:
  /// Opens or makes the database in `folder` (made with its parents).
  /// Errors: `busy` when another process has it open; `io`, `corrupt`, `no_space`.
  static result<std::unique_ptr<database>> open(const std::filesystem::path& folder,
                                                const database_limits& limits = {});
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// Nothing when the key is not there. Errors: `io`, `corrupt`.
  result<std::optional<std::string>> get(table where, std::string_view key) const;
  result<void> put(table where, std::string_view key, std::string_view value,
                   durability how = durability::buffered);
  /// A key that is not there is no error.
  result<void> erase(table where, std::string_view key, durability how = durability::buffered);
  result<void> write(const write_batch& batch, durability how = durability::buffered);
  /// Makes all earlier writes durable.
  result<void> sync();

  /// Visits all entries of a table whose keys start with `prefix`, ascending by key bytes, as they
  /// were when the scan began. The views are valid within the visit.
  result<void> scan(
      table where, std::string_view prefix,
      const std::function<scan_step(std::string_view key, std::string_view value)>& visit) const;

 private:
  struct impl;
  explicit database(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

/// Digests as keys and values.
[[nodiscard]] inline std::string_view as_key(const digest& value) {
  return {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()};
}

}  // namespace firstlight
