#include "actors/node/receiver_report.hpp"

#include "schemas/admin.hpp"

namespace firstlight {

std::string_view to_string(delivery_phase phase) {
  switch (phase) {
    case delivery_phase::resolving:
      return "resolving";
    case delivery_phase::receiving:
      return "receiving";
    case delivery_phase::waiting_for_link:
      return "waiting for the link";
    case delivery_phase::complete:
      return "complete";
    case delivery_phase::failed:
      return "failed";
  }
  return "unknown";
}

admin_message progress_of(const receiver_report& report) {
  if (report.phase == delivery_phase::resolving)
    return {encode(admin_progress{report.progress.stage, report.progress.done, report.progress.total})};
  return {
      encode(admin_progress{std::string(to_string(report.phase)), report.bytes_stored, report.bytes_total})};
}

}  // namespace firstlight
