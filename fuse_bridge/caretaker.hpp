#pragma once
#include <map>
#include <vector>

#include "fuse_bridge/hybrid/early_contents.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// Where a caretaker finds contents.
struct caretaker_places {
  std::filesystem::path store;           ///< complete contents, as storage/content_name.hpp names them
  std::filesystem::path early_contents;  ///< fuse_bridge/hybrid/early_contents.hpp
};

/// CARETAKER: while no node lives, its keeper answers what the kernel asks of the content mount, as far as
/// the store has it whole: a file that was first opened while it arrived is read through FUSE for as long as
/// it is in use, and the kernel may have dropped its pages. All else waits for the next node; whoever is
/// killed while he waits for it is let go. Knows only FUSE_READ and FUSE_INTERRUPT (the kernel's
/// include/uapi/linux/fuse.h). One thread.
class caretaker {
 public:
  explicit caretaker(caretaker_places places);

  /// A node has gone. What it had been asked, and had not answered, is asked again here.
  void begin(int device);
  /// Handles some of what the kernel asks now, and lets killed waiters go; never waits for the kernel.
  void serve(int device);
  /// Whether a signal has reached somebody who waits: the kernel tells once, and not of which, so `serve`
  /// must look again and again.
  [[nodiscard]] bool watches() const { return watched_ > 0; }
  /// The kernel does not hand its requests out; then there is no use in asking for them.
  [[nodiscard]] bool fails() const { return fails_; }
  /// A node has come: what waits is asked again there. Idle from now on.
  void end(int device);

 private:
  struct waiter {
    std::uint32_t thread = 0;
    bool watched = false;
  };

  void forget();
  void handle(int device, bytes_view message);
  void let_killed_go(int device);
  void read(int device, bytes_view message);
  /// The descriptor of the content's file; negative if it is not there whole.
  int file_of(std::uint64_t node);
  [[nodiscard]] file_descriptor open_content(std::uint64_t node) const;
  [[nodiscard]] file_descriptor open_by_prefix(std::uint64_t node) const;

  caretaker_places places_;
  early_contents early_;
  std::vector<std::byte> message_;
  std::vector<std::byte> data_;
  std::map<std::uint64_t, file_descriptor> files_;  ///< by node
  std::map<std::uint64_t, waiter> waiting_;         ///< requests without an answer
  std::size_t watched_ = 0;
  bool fails_ = false;
};

}  // namespace firstlight
