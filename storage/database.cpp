#include "storage/database.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

error from_rocksdb(const rocksdb::Status& status, std::string_view context) {
  auto code = errc::io;
  if (status.IsNotFound()) code = errc::not_found;
  if (status.IsCorruption() || status.IsInvalidArgument()) code = errc::corrupt;
  if (status.IsNoSpace()) code = errc::no_space;
  if (status.IsBusy()) code = errc::busy;
  return {code, std::string(context) + ": " + status.ToString()};
}

result<void> checked(const rocksdb::Status& status, std::string_view context) {
  if (status.ok()) return {};
  return tl::make_unexpected(from_rocksdb(status, context));
}

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

std::string full_key(table where, std::string_view key) {
  std::string full;
  full.reserve(where.name.size() + 1 + key.size());
  full.append(where.name).push_back('\0');
  return full.append(key);
}

constexpr std::uint64_t large_row_bytes = 4U << 10U;  // a block's

/// Rows have from ten bytes to a megabyte, and a block ends with the row that fills it: looking up a small
/// row would mean reading and unpacking a large one that follows it, for milliseconds. So large rows are in
/// files of their own (RocksDB wiki, "BlobDB").
void keep_large_rows_apart(rocksdb::Options& options) {
  options.enable_blob_files = true;
  options.min_blob_size = large_row_bytes;
  options.blob_compression_type = rocksdb::kLZ4Compression;
  options.enable_blob_garbage_collection = true;
}

rocksdb::Options make_options(const database_limits& limits) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.max_open_files = static_cast<int>(limits.open_files);
  options.max_background_jobs = static_cast<int>(limits.background_jobs);
  options.write_buffer_size = limits.write_buffer_bytes;
  options.max_write_buffer_number = 2;
  options.max_total_wal_size = limits.write_ahead_log_bytes;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 1U << 20U;
  options.stats_dump_period_sec = 0;
  options.info_log_level = rocksdb::WARN_LEVEL;
  keep_large_rows_apart(options);
  rocksdb::BlockBasedTableOptions tables;
  tables.block_cache = rocksdb::NewLRUCache(limits.block_cache_bytes, /*num_shard_bits=*/2);
  tables.cache_index_and_filter_blocks = true;  // else they are memory outside the cache's limit
  tables.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(tables));
  return options;
}

rocksdb::WriteOptions write_options(durability how) {
  rocksdb::WriteOptions options;
  options.sync = how == durability::synced;
  return options;
}

}  // namespace

void write_batch::put(table where, std::string_view key, std::string_view value) {
  changes_.push_back({full_key(where, key), std::string(value)});
}

void write_batch::erase(table where, std::string_view key) {
  changes_.push_back({full_key(where, key), std::nullopt});
}

struct database::impl {
  std::string folder;
  std::unique_ptr<rocksdb::DB> rocks;
};

database::database(std::unique_ptr<impl> state) : impl_(std::move(state)) {}
database::~database() = default;

result<std::unique_ptr<database>> database::open(const std::filesystem::path& folder,
                                                 const database_limits& limits) {
  if (auto made = make_folders(folder); !made) return tl::make_unexpected(made.error());
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(make_options(limits), folder.string(), &opened);
  // RocksDB tells a held lock only by its text.
  if (status.IsIOError() && status.ToString().find("lock") != std::string::npos)
    return fail(errc::busy,
                "database " + folder.string() + " is in use by another process; stop that daemon first");
  if (!status.ok())
    return tl::make_unexpected(from_rocksdb(status, "cannot open database " + folder.string()));
  auto state = std::make_unique<impl>();
  state->folder = folder.string();
  state->rocks.reset(opened);
  return std::unique_ptr<database>(new database(std::move(state)));
}

result<std::optional<std::string>> database::get(table where, std::string_view key) const {
  std::string value;
  const auto status = impl_->rocks->Get({}, full_key(where, key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return tl::make_unexpected(from_rocksdb(status, impl_->folder));
  return value;
}

result<void> database::put(table where, std::string_view key, std::string_view value, durability how) {
  return checked(impl_->rocks->Put(write_options(how), full_key(where, key), slice(value)), impl_->folder);
}

result<void> database::erase(table where, std::string_view key, durability how) {
  return checked(impl_->rocks->Delete(write_options(how), full_key(where, key)), impl_->folder);
}

result<void> database::write(const write_batch& batch, durability how) {
  rocksdb::WriteBatch writes;
  for (const auto& change : batch.changes_)
    if (auto done = checked(change.value ? writes.Put(change.key, *change.value) : writes.Delete(change.key),
                            impl_->folder);
        !done)
      return done;
  return checked(impl_->rocks->Write(write_options(how), &writes), impl_->folder);
}

result<void> database::sync() {
  return checked(impl_->rocks->SyncWAL(), impl_->folder);
}

result<void> database::scan(table where, std::string_view prefix,
                            const std::function<scan_step(std::string_view, std::string_view)>& visit) const {
  const auto start = full_key(where, prefix);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(impl_->rocks->NewIterator(options));
  for (at->Seek(start); at->Valid() && at->key().starts_with(start); at->Next()) {
    const auto key = at->key();
    const std::string_view tail(key.data() + where.name.size() + 1, key.size() - where.name.size() - 1);
    if (visit(tail, {at->value().data(), at->value().size()}) == scan_step::stop) return {};
  }
  return checked(at->status(), impl_->folder);
}

}  // namespace firstlight
