#pragma once
#include <string>

#include "actors/instance_messages.hpp"
#include "model/result.hpp"

namespace firstlight {

/// What holds one mount, in whatever mode. With its object the mount ends, unless it is left. Not
/// thread-safe.
class held_mount {
 public:
  [[nodiscard]] virtual std::string name() const = 0;

  /// Takes the target away. The file system ends by itself after the last open file has been closed. Errors:
  /// `busy`, `io`: the target is still there.
  virtual result<void> take_down(busy_mount when_busy) = 0;

  /// Whether the file system has not ended.
  [[nodiscard]] virtual bool alive() const = 0;

  /// Takes down what nobody uses; the rest is the next process's once this object has ended.
  /// @returns whether it is left
  virtual bool leave_if_used() = 0;

  held_mount() = default;
  virtual ~held_mount() = default;
  held_mount(const held_mount&) = delete;
  held_mount& operator=(const held_mount&) = delete;
};

}  // namespace firstlight
