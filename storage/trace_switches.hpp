#pragma once
#include <vector>

#include "model/digest.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// What users have said about recording, and how often images were started: kept over restarts of a node. Any
/// thread; calls may block on the disk. Errors of all members: `io`.
class trace_switches {
 public:
  enum class state : std::uint8_t { off, on };
  /// For what somebody has said "on" or "off". An image is named by its reference.
  enum class subject : std::uint8_t { all, image, group };

  struct word {
    subject of = subject::all;
    std::string name;  ///< empty for all
    state said = state::off;
    friend bool operator==(const word&, const word&) = default;
  };

  explicit trace_switches(database& metadata) : metadata_(metadata) {}

  result<void> set(subject of, const std::string& name, state wanted);
  /// Takes the word back: less particular ones hold again.
  result<void> clear(subject of, const std::string& name);
  /// All words: that on all, those on images, those on groups, each by name.
  [[nodiscard]] result<std::vector<word>> list() const;
  /// The most particular word: on the image, else on the group, else on all; nothing if nobody has said any.
  [[nodiscard]] result<std::optional<state>> find(const std::string& image, const std::string& group) const;

  /// Counts one more start. @returns how many there have been, this one included
  result<std::uint64_t> count_start(const toc_id& image);

 private:
  database& metadata_;
};

}  // namespace firstlight
