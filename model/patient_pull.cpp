#include "model/patient_pull.hpp"

#include <algorithm>

namespace firstlight {

void patient_pull::begins(request_is whose) {
  whose_ = whose;
  began_over_.reset();
}

void patient_pull::began_over(link_number up) {
  if (whose_ == request_is::own) began_over_ = up;
}

patient_pull::next patient_pull::failed(error why) {
  why_ = std::move(why);
  return why_.code == errc::unavailable ? next::ask_link : next::refuse;
}

patient_pull::next patient_pull::link_is(link_number up, instant now) {
  if (!up) return until_passed(next::wait_for_link, now);
  return up == began_over_ ? next::refuse : until_passed(next::begin, now);
}

patient_pull::next patient_pull::no_link(errc why, instant now) {
  return why == errc::timed_out ? until_passed(next::wait_for_link, now) : next::refuse;
}

std::chrono::milliseconds patient_pull::left(instant now) const {
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(until_ - now), std::chrono::milliseconds(1));
}

patient_pull::next patient_pull::until_passed(next what, instant now) {
  if (now < until_) return what;
  why_.code = errc::timed_out;
  return next::refuse;
}

}  // namespace firstlight
