#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace firstlight {

/// SENDING QUEUE: what is built by several at once leaves in the order in which it was begun, however long
/// each takes to build. What a reader waits for has a row of its own, which goes first, each as soon as it is
/// built. Every place that was taken is filled or given back. Owned by one actor.
template <class Item>
class sending_queue {
 public:
  enum class row : std::uint8_t { wanted, planned };
  /// A place in a row.
  struct place {
    row in = row::planned;
    std::uint64_t number = 0;
  };

  /// Takes the last place of a row.
  [[nodiscard]] place begin(row in) {
    row_of(in).emplace(++number_, std::nullopt);
    return {in, number_};
  }
  /// Puts what has been built into its place.
  void fill(const place& at, Item item) { row_of(at.in).at(at.number).emplace(std::move(item)); }
  /// Nothing comes of it.
  void give_back(const place& at) { row_of(at.in).erase(at.number); }

  /// Takes the next out: the first of those wanted that have been built, else the first of the plan if that
  /// has been built.
  [[nodiscard]] std::optional<Item> take() {
    auto item = take_built();
    return item ? std::move(item) : take_next();
  }

  /// Whether `take` has one to give.
  [[nodiscard]] bool ready() const {
    return find_built() != wanted_.end() || (!planned_.empty() && planned_.begin()->second);
  }

  /// Places taken, also by items that are still being built.
  [[nodiscard]] std::size_t size() const { return wanted_.size() + planned_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }

 private:
  using places = std::map<std::uint64_t, std::optional<Item>>;

  [[nodiscard]] places& row_of(row in) { return in == row::wanted ? wanted_ : planned_; }
  /// The first want that has been built: its reader waits for no other one's.
  [[nodiscard]] typename places::const_iterator find_built() const {
    return std::find_if(wanted_.begin(), wanted_.end(),
                        [](const auto& one) { return one.second.has_value(); });
  }
  [[nodiscard]] std::optional<Item> take_built() {
    const auto built = find_built();
    if (built == wanted_.end()) return std::nullopt;
    return std::move(wanted_.extract(built).mapped());
  }
  [[nodiscard]] std::optional<Item> take_next() {
    if (planned_.empty() || !planned_.begin()->second) return std::nullopt;
    return std::move(planned_.extract(planned_.begin()).mapped());
  }

  places wanted_;
  places planned_;
  std::uint64_t number_ = 0;
};

}  // namespace firstlight
