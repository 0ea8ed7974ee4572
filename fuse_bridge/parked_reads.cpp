#include "fuse_bridge/parked_reads.hpp"

#include "fuse_bridge/libfuse.hpp"

namespace firstlight {

waiter_id parked_reads::next_id() {
  const std::lock_guard lock(mutex_);
  return waiter_id{++last_id_};
}

result<bool> parked_reads::park(waiter_id id, const parked_request& request) {
  const std::lock_guard lock(mutex_);
  if (closed_) return fail(errc::cancelled, "the mount is being taken down");
  if (requests_.size() >= parked_max_)
    return fail(errc::limit_exceeded, "parked_reads_max: " + std::to_string(parked_max_));
  // Under the lock the request cannot be answered by another thread, so it is still valid here.
  const bool interrupted = fuse_req_interrupted(request.request) != 0;
  requests_.emplace(id, request);
  return interrupted;
}

std::optional<parked_request> parked_reads::take(waiter_id id) {
  const std::lock_guard lock(mutex_);
  auto node = requests_.extract(id);
  if (node.empty()) return std::nullopt;
  return node.mapped();
}

std::vector<parked_request> parked_reads::take_of(const session_counters& mount) {
  const std::lock_guard lock(mutex_);
  std::vector<parked_request> all;
  std::erase_if(requests_, [&](const auto& one) {
    const bool taken = one.second.counters.get() == &mount;
    if (taken) all.push_back(one.second);
    return taken;
  });
  return all;
}

std::optional<std::uint32_t> parked_reads::thread_of(waiter_id id) const {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return std::nullopt;
  return found->second.thread;
}

std::vector<parked_request> parked_reads::leave() {
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
  }
  return close();
}

bool parked_reads::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

std::vector<parked_request> parked_reads::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  std::vector<parked_request> all;
  all.reserve(requests_.size());
  for (const auto& [id, request] : requests_) all.push_back(request);
  requests_.clear();
  return all;
}

std::size_t parked_reads::size() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

}  // namespace firstlight
