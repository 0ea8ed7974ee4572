#pragma once
#include <condition_variable>
#include <mutex>

#include "actors/interfaces.hpp"
#include "storage/content_store.hpp"
#include "test/harness/node/test_image.hpp"

namespace firstlight {

/// Stands in for a receiver: blocks come when the test says so, and who subscribes late is told what it has
/// missed. Calls from any thread.
class fake_source {
 public:
  enum class answer { nothing, deliver, fail };

  fake_source(caf::actor_system& system, content_store& store, const image_builder::built& image);
  ~fake_source();
  fake_source(const fake_source&) = delete;
  fake_source& operator=(const fake_source&) = delete;

  [[nodiscard]] receiver handle() const { return handle_; }

  /// What happens with blocks that are wanted from now on.
  void on_want(answer how);

  /// Stores blocks and announces them.
  void deliver(block_run run);
  void deliver_content(std::uint32_t content);
  /// The contents of an image that was built as a tree become known.
  void learn(const std::vector<std::byte>& ids);
  void deliver_all();  ///< and says that the image is complete
  void store_silently(block_run run);
  void fail(block_run run, const error& why);

  /// All that was wanted so far, in order.
  [[nodiscard]] std::vector<block_run> wanted() const;
  /// Waits until `count` wants have come, at most half a minute. @returns whether they have.
  [[nodiscard]] bool wait_for_wants(std::size_t count) const;

 private:
  friend struct fake_source_shell;
  void take_want(const want_blocks& wanted);
  void take_listener(const caf::actor& listener);
  template <class Message>
  void announce(Message message, bool fake_source::*once = nullptr);

  content_store& store_;
  const image_builder::built& image_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  answer answer_ = answer::nothing;
  std::vector<block_run> wanted_;
  std::vector<caf::actor> listeners_;
  bool known_ = false, complete_ = false;  ///< told to who subscribes later
  receiver handle_;
};

}  // namespace firstlight
