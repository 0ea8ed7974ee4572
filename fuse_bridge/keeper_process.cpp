#include "fuse_bridge/keeper_process.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "fuse_bridge/keeper_socket.hpp"
#include "fuse_bridge/mount_keeper.hpp"
#include "model/overloaded.hpp"

namespace firstlight {
namespace {

using steady = std::chrono::steady_clock;

struct held_mount {
  kept_entry entry;
  file_descriptor device;
};

class keeper {
 public:
  keeper(file_descriptor listener, const keeper_limits& limits, const caretaker_places& places)
      : listener_(std::move(listener)),
        limits_(limits),
        has_places_(!places.store.empty()),
        caretaker_(places) {}

  std::size_t run() {
    while (!(left_since_ && !serving_ && held_.empty())) {
      take_care();
      if (!wait()) break;
      drop_unmounted();
      if (polled_[1].revents != 0) hear();
      if (polled_[0].revents != 0) greet();
    }
    return held_.size();
  }

 private:
  /// @returns false when the time for a takeover is over.
  bool wait() {
    polled_.clear();
    polled_.push_back({listener_.get(), POLLIN, 0});
    polled_.push_back({serving_ ? node_->get() : -1, POLLIN, 0});
    // Without a wish only that the kernel's side has ended is told.
    for (const auto& [name, held] : held_) {
      const bool cares = taking_care_ && !caretaker_.fails() && name == kept_contents_name;
      polled_.push_back({held.device.get(), static_cast<short>(cares ? POLLIN : 0), 0});
    }
    int limit = -1;
    if (left_since_ && !serving_) {
      const auto left = *left_since_ + limits_.takeover_wait - steady::now();
      if (left.count() <= 0) return false;
      const auto turn = std::min<steady::duration>(left, std::chrono::hours(1));
      limit = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(turn).count());
    }
    if (taking_care_ && caretaker_.watches()) {
      const auto turn = static_cast<int>(limits_.killed_check_interval.count());
      limit = limit < 0 ? turn : std::min(limit, turn);
    }
    if (poll(polled_.data(), polled_.size(), limit) >= 0) return true;
    for (auto& one : polled_) one.revents = 0;
    return errno == EINTR;
  }

  /// Right after `wait`: what was polled still has the order of the map.
  void drop_unmounted() {
    auto place = polled_.begin() + 2;
    std::erase_if(held_, [&](const auto&) { return ((place++)->revents & ~POLLIN) != 0; });
  }

  [[nodiscard]] const held_mount* contents() const {
    const auto held = held_.find(std::string(kept_contents_name));
    return held == held_.end() ? nullptr : &held->second;
  }

  /// What the kernel asks of the content mount is the node's, unless there is none.
  void take_care() {
    const auto* mount = contents();
    const bool cares = has_places_ && !serving_ && mount != nullptr;
    if (cares && !std::exchange(taking_care_, true)) caretaker_.begin(mount->device.get());
    if (cares) caretaker_.serve(mount->device.get());
  }
  void stop_caring() {
    if (!std::exchange(taking_care_, false)) return;
    if (const auto* mount = contents()) caretaker_.end(mount->device.get());
  }

  void greet() {
    file_descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket || serving_) return;
    stop_caring();
    node_.emplace(std::move(socket), limits_.message_bytes_max);
    serving_ = true;
  }

  void hear() {
    auto received = node_->receive();
    if (!received || !*received) return lose_node();
    auto& [message, descriptor] = **received;
    std::visit(overloaded{
                   [&](keeper_keep& keep) { hold(std::move(keep.entry), std::move(descriptor)); },
                   [&](const keeper_drop& drop) { held_.erase(drop.name); },
                   [&](const keeper_list&) { list(); },
                   [&](const auto&) { lose_node(); },
               },
               message);
    // A node that ends before it has taken anything over does not make programs wait longer.
    if (!std::holds_alternative<keeper_list>(message)) left_since_.reset();
  }

  void hold(kept_entry entry, file_descriptor device) {
    if (!device || (held_.size() >= limits_.kept_mounts_max && !held_.contains(entry.name))) {
      std::fprintf(stderr, "firstlight keeper: mount %s would end with its node: %s\n", entry.name.c_str(),
                   device ? "keeper.kept_mounts_max" : "too many open files");
      return;
    }
    auto name = entry.name;
    held_.insert_or_assign(std::move(name), held_mount{std::move(entry), std::move(device)});
  }

  void list() {
    for (const auto& [name, held] : held_)
      if (!node_->send(keeper_kept{held.entry}, held.device.get())) return lose_node();
    if (!node_->send(keeper_end{})) lose_node();
  }

  void lose_node() {
    serving_ = false;
    if (!left_since_) left_since_ = steady::now();
    if (!held_.empty()) node_.reset();  // else it closes with the process: a node that stops waits for that
  }

  file_descriptor listener_;
  keeper_limits limits_;
  std::optional<keeper_socket> node_;
  bool serving_ = false;
  std::optional<steady::time_point> left_since_;  ///< nobody has cared for the mounts since
  std::map<std::string, held_mount> held_;
  std::vector<pollfd> polled_;
  bool has_places_;
  caretaker caretaker_;
  bool taking_care_ = false;
};

}  // namespace

std::size_t run_keeper(file_descriptor listener, const std::filesystem::path& socket,
                       const keeper_limits& limits, const caretaker_places& places) {
  keeper one(std::move(listener), limits, places);
  const auto given_up = one.run();
  // Before the listener closes: whoever is refused from now on finds no file and starts a keeper anew.
  ::unlink(socket.c_str());
  return given_up;
}

}  // namespace firstlight
