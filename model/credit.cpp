#include "model/credit.hpp"

#include <algorithm>

namespace firstlight {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint32_t growing_gain_percent = 200;  // doubles the window each round trip
constexpr std::uint32_t probing_gain_percent = 75;   // leaves no queue, and little of the link idle
constexpr double growth_expected = 1.25;
constexpr std::uint32_t flat_rounds_max = 3;
constexpr double rise_unexpected = 1.08;         // a round at the pace found no limit: the link carries more
constexpr std::int64_t queue_of_round_trip = 4;  // a fourth of it in a queue: the link is full

double seconds(nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

}  // namespace

credit::credit(credit_limits limits) : limits_(limits), window_(limits.window_bytes_start) {}

void credit::seed(double bytes_per_second, nanoseconds round_trip, instant now) {
  if (round_trip > nanoseconds(0) && (round_trip_ == nanoseconds(0) || round_trip < round_trip_)) {
    round_trip_ = round_trip;
    round_trip_at_ = now;
  }
  if (bytes_per_second > 0) keep_rate(bytes_per_second, /*source_limited=*/false);
  if (product() > 0) window_ = 0;  // what was measured replaces the start value
  resize();
}

void credit::settle() {
  if (bytes_per_second() <= 0) return;
  growing_ = false;
  flat_from_ = bytes_per_second();
  resize();
}

bool credit::may_send(instant now) const {
  if (unanswered_ == 0) return true;
  return unanswered_ < limits_.unverified_bytes_max && in_flight_ < window_ + arrived(now);
}

std::optional<nanoseconds> credit::may_send_in(instant now) const {
  const auto coming = arriving();
  if (!coming || growing_ || unanswered_ >= limits_.unverified_bytes_max) return std::nullopt;
  auto missing = in_flight_ < window_ ? 0 : in_flight_ - window_ + 1;
  if (missing > coming->bytes) return std::nullopt;  // a receipt comes first
  missing -= std::min(missing, carried_);
  return std::max(coming->since + transfer(missing) - now, nanoseconds(0));
}

/// They follow what has been received last, or what was idle.
std::optional<credit::arrivals> credit::arriving() const {
  std::optional<arrivals> coming;
  std::uint32_t count = 0;
  for (auto one = flights_.begin(); one != flights_.end() && count < connections_; ++one) {
    const auto& on_way = one->second;
    if (on_way.received) continue;
    if (count++ == 0) coming = {0, std::max(delivered_at_, on_way.at + round_trip_)};
    coming->bytes += on_way.bytes;
  }
  return coming;
}

/// The part of what counts as in flight that has arrived by now. While the window grows the rate is not known
/// yet: then all that may be arriving, or the link would run dry.
std::uint64_t credit::arrived(instant now) const {
  const auto coming = arriving();
  if (!coming) return 0;
  if (growing_) return std::min(window_, coming->bytes);
  const auto carried = now <= coming->since
                           ? 0
                           : static_cast<std::uint64_t>(bytes_per_second() * seconds(now - coming->since));
  return std::min(coming->bytes, carried_ + carried);
}

void credit::sent(std::uint64_t token, std::uint64_t bytes, instant now) {
  if (in_flight_ == 0) resume(now);
  const bool window_used = in_flight_ + bytes >= window_ - window_ / 4;
  const bool limited = delivered_ < source_limited_until_ || !window_used;
  const auto added =
      flights_.emplace(token, flight{bytes, now, delivered_, delivered_at_, first_sent_at_, limited});
  if (!added.second) return;
  in_flight_ += bytes;
  unanswered_ += bytes;
}

/// After a pause there is no queue that would hide the least round trip: no need to look for it.
void credit::resume(instant now) {
  first_sent_at_ = delivered_at_ = round_trip_at_ = now;
  carried_ = 0;
  if (probe_from_.has_value()) {
    probe_from_.reset();
    resize();
  }
}

void credit::answered(std::uint64_t token, instant now) {
  received(token, now);
  const auto found = flights_.find(token);
  if (found == flights_.end()) return;
  unanswered_ -= found->second.bytes;
  flights_.erase(found);
}

void credit::received(std::uint64_t token, instant now) {
  const auto found = flights_.find(token);
  if (found == flights_.end() || found->second.received) return;
  const auto reckoned = growing_ ? 0 : arrived(now);
  found->second.received = true;
  const auto known = found->second;
  in_flight_ -= known.bytes;
  carried_ = reckoned - std::min(reckoned, known.bytes);
  delivered_ += known.bytes;
  delivered_at_ = now;
  first_sent_at_ = std::max(first_sent_at_, known.at);

  // The slower of sending and receiving, so that neither a burst of sends nor of receipts looks like a fast
  // link.
  const auto interval = std::max(known.at - known.first_sent_at, now - known.delivered_at);
  keep_round_trip(known, now);
  if (interval >= round_trip_ && interval > nanoseconds(0))
    keep_rate(static_cast<double>(delivered_ - known.delivered) / seconds(interval), known.source_limited);
  round_limited_ = round_limited_ || known.source_limited;
  if (known.delivered >= round_ends_) next_round();
  resize();
}

void credit::nothing_to_send() {
  source_limited_until_ = delivered_ + std::max<std::uint64_t>(in_flight_, 1);
}

double credit::bytes_per_second() const {
  return rates_.empty() ? 0 : rates_.front().rate;
}

nanoseconds credit::round_trip() const {
  return round_trip_;
}

std::optional<double> credit::pace() const {
  if (rates_.empty()) return std::nullopt;
  const auto least = static_cast<double>(limits_.pace_bytes_per_second_min);
  if (!growing_) return std::max(bytes_per_second() * limits_.pace_percent / 100, least);
  const auto growing = std::max(bytes_per_second() * growing_gain_percent / 100, least);
  return round_trip_ > nanoseconds(0) ? std::max(growing, static_cast<double>(window_) / seconds(round_trip_))
                                      : growing;
}

std::uint64_t credit::product() const {
  return static_cast<std::uint64_t>(bytes_per_second() * seconds(round_trip_));
}

void credit::keep_rate(double rate, bool source_limited) {
  if (source_limited && rate <= bytes_per_second()) return;
  while (!rates_.empty() && rates_.back().rate <= rate) rates_.pop_back();
  rates_.push_back({round_, rate});
}

/// What a segment adds to the round trip by its own length.
nanoseconds credit::transfer(std::uint64_t bytes) const {
  if (rates_.empty()) return nanoseconds(0);
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / bytes_per_second()));
}

void credit::keep_round_trip(const flight& received, instant now) {
  const auto value = now - received.at;
  const bool probed = probe_from_ && received.at >= *probe_from_;
  if (probed || round_trip_ == nanoseconds(0) || value <= round_trip_) {
    round_trip_ = probed ? std::max(value - transfer(received.bytes), std::min(value, round_trip_)) : value;
    round_trip_at_ = now;
    probe_from_.reset();
  } else if (!probe_from_ && now - round_trip_at_ > limits_.round_trip_window) {
    probe_from_ = now;
  }
}

void credit::next_round() {
  ++round_;
  round_ends_ = delivered_;
  while (rates_.size() > 1 && rates_.front().round + limits_.rate_rounds < round_) rates_.pop_front();
  if (!growing_)
    look_again();
  else if (!round_limited_)
    grow();
  round_limited_ = false;
}

void credit::grow() {
  const bool grew = bytes_per_second() >= flat_from_ * growth_expected;
  if (grew) flat_from_ = bytes_per_second();
  flat_rounds_ = grew ? 0 : flat_rounds_ + 1;
  if (flat_rounds_ < flat_rounds_max) return;
  growing_ = false;
  flat_from_ = bytes_per_second();
}

void credit::look_again() {
  growing_ = bytes_per_second() >= flat_from_ * rise_unexpected;
  flat_from_ = bytes_per_second();
  flat_rounds_ = 0;
}

void credit::packet_round_trip(nanoseconds smoothed) {
  if (smoothed <= nanoseconds(0)) return;
  auto& least = packet_round_trip_least_;
  least = least == nanoseconds(0) ? smoothed : std::min(least, smoothed);
  if (!growing_ || rates_.empty() || smoothed - least <= least / queue_of_round_trip) return;
  growing_ = false;
  flat_from_ = bytes_per_second();
  resize();
}

void credit::resize() {
  const auto gain = probe_from_ ? probing_gain_percent
                    : growing_  ? growing_gain_percent
                                : limits_.gain_percent;
  if (product() == 0) return;
  const auto wanted = product() * gain / 100;
  const auto fitting = std::clamp(wanted, limits_.window_bytes_min, limits_.window_bytes_max);
  window_ = growing_ && !probe_from_ ? std::max(window_, fitting) : fitting;
}

}  // namespace firstlight
