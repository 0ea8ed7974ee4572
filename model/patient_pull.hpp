#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "model/instant.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Which of a node's links to its hub is up, of all that it has had one after another. None: there is no link
/// now, or it is not known.
using link_number = std::optional<std::uint64_t>;

/// PATIENT PULL: one pull of an image by containerd's snapshotter, from its request to its answer. It decides
/// how long the pull waits for a link to the hub and when it begins anew: what the hub itself refuses is over
/// at once, what failed for want of a link is not, since containerd would download an image that the hub has.
/// Each pull has its own; what others do about the same image is nothing to it. Not thread-safe.
class patient_pull {
 public:
  /// What the caller does now.
  enum class next : std::uint8_t {
    refuse,         ///< answers with `why`: it is over
    ask_link,       ///< asks the link how it is, then calls `link_is` or `no_link`
    wait_for_link,  ///< for `left` at most, then calls `linked` or `no_link`
    begin,          ///< calls `begins` and tries again
  };
  /// Whose request to the hub it is that a try waits for.
  enum class request_is : std::uint8_t {
    own,
    joined,  ///< an earlier one: over which link it went is not known
  };

  /// It waits for a link, and begins anew, until `wait_max` (positive) after `now`.
  patient_pull(std::chrono::milliseconds wait_max, instant now) : until_(now + wait_max) {}

  /// A try begins. The caller asks the link how it is before the hub is asked for anything.
  void begins(request_is whose);
  /// The answer to that, before the one to any later question. It may be missing.
  void began_over(link_number up);

  /// The try has failed.
  [[nodiscard]] next failed(error why);

  /// What the link says after a failure. A link that was up when the try began, and is still, has brought the
  /// hub's own answer.
  [[nodiscard]] next link_is(link_number up, instant now);

  /// Somebody who waited for a link has one.
  [[nodiscard]] next linked(instant now) { return until_passed(next::begin, now); }

  /// The link does not come or does not say how it is: for now if that is `timed_out`, else for good.
  [[nodiscard]] next no_link(errc why, instant now);

  /// For a link, at least 1 ms.
  [[nodiscard]] std::chrono::milliseconds left(instant now) const;

  /// Of the last try; `timed_out` if it has waited for as long as it may.
  [[nodiscard]] const error& why() const { return why_; }

 private:
  next until_passed(next what, instant now);

  instant until_;
  request_is whose_ = request_is::own;
  link_number began_over_;
  error why_;
};

}  // namespace firstlight
