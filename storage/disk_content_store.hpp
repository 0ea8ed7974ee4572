#pragma once
#include <atomic>
#include <mutex>
#include <set>

#include "storage/content_files.hpp"
#include "storage/content_index.hpp"
#include "storage/content_records.hpp"
#include "storage/content_store.hpp"
#include "storage/descriptor_cache.hpp"

namespace firstlight {

/// The content store over files and the database; content_store.hpp is its manual.
class disk_content_store final : public content_store {
 public:
  disk_content_store(content_files files, database& metadata, block_geometry geometry,
                     std::uint32_t open_files_max, const content_store_limits& limits);

  /// Reads the records, and makes files and records agree. Called once, before all else.
  result<void> load();

  content_state state(const content_id& id) const override;
  block_set blocks(const content_info& content) const override;
  bool ready(const content_info& content, std::uint32_t first, std::uint32_t count) const override;
  result<content_state> write(const content_info& content, std::uint32_t first, bytes_view bytes) override;
  result<std::size_t> read(const content_info& content, std::uint64_t offset,
                           std::span<std::byte> into) const override;
  result<int> open_complete(const content_info& content) const override;
  std::unique_ptr<content_writer> new_content() override;
  result<std::vector<digest>> leaves(const content_info& content) const override;
  result<void> checkpoint() override;
  result<void> remove(const content_id& id) override;
  void for_each(const std::function<void(const content_info&, content_state)>& visit) const override;
  std::uint64_t bytes_stored() const override { return bytes_stored_; }
  std::uint64_t lost_at_opening() const override { return lost_at_opening_; }

  // For the writer.
  [[nodiscard]] block_geometry geometry() const { return geometry_; }
  [[nodiscard]] const content_store_limits& limits() const { return limits_; }
  [[nodiscard]] content_files& files() { return files_; }
  [[nodiscard]] content_records& records() { return records_; }
  /// Makes the unnamed file `name` the complete content `content`.
  result<void> adopt(const content_info& content, const std::string& name);

 private:
  using handle = descriptor_cache::handle;

  result<void> check_range(const content_info& content, std::uint32_t first, std::size_t bytes) const;
  result<content_index::found> find_for_writing(const content_info& content);
  result<void> make_removal_durable(const content_id& id);
  result<content_state> write_whole(arriving_content& target, bytes_view bytes);
  result<std::optional<content_state>> write_blocks(arriving_content& target, std::uint32_t first,
                                                    bytes_view bytes);
  template <class Place>
  result<content_state> make_complete(arriving_content& target, Place place);
  result<handle> partial_handle(const content_id& id) const;
  result<handle> complete_handle(const content_info& content, std::uint64_t stored_size) const;
  result<handle> readable_handle(const content_info& content, std::uint64_t offset, std::size_t bytes) const;

  [[nodiscard]] content_records::changes capture();
  void put_back(const content_records::changes& change);
  void forget(const content_records::changes& change);
  result<void> commit(content_records::changes change);

  result<void> keep_known_files(content_records::loaded& known);
  result<void> take_back_partials(content_records::loaded& known);

  content_files files_;
  mutable content_records records_;
  block_geometry geometry_;
  content_store_limits limits_;
  content_index index_;
  mutable descriptor_cache complete_descriptors_;
  mutable descriptor_cache partial_descriptors_;  // apart: a late reader must not offer a writer its file
  std::atomic<std::uint64_t> bytes_stored_{0};
  std::uint64_t lost_at_opening_ = 0;

  std::mutex checkpoint_lock_;
  std::mutex removal_lock_;  // orders removals with the commit; taken last
  std::set<content_id> removed_since_capture_;
  std::set<content_id> removed_not_durable_;
  std::atomic<std::size_t> removed_not_durable_count_{0};
};

}  // namespace firstlight
