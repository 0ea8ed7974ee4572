#pragma once
#include "actors/hub/image_library.hpp"
#include "actors/hub/node_session.hpp"
#include "actors/net/hub_listener.hpp"
#include "schemas/admin.hpp"

/// What the hub's actors know, in the words of its users. Pure.
namespace firstlight {

/// One delivery of a session as its report has it.
[[nodiscard]] delivery_report describe(std::uint64_t id, const running_delivery& running, instant now);

/// A notice of images that the hub cannot serve; empty: there are none.
[[nodiscard]] std::string report_unreadable(const std::vector<unreadable_record>& images);

[[nodiscard]] admin_image report(const image_record& record);
[[nodiscard]] admin_image report(const known_image& image);
/// Of an image with its table of contents. Errors: `corrupt` for one whose manifest is none.
[[nodiscard]] result<admin_image_detail> report_detail(const known_image& image);
[[nodiscard]] admin_ingestion report(const ingestion_status& status);
[[nodiscard]] admin_session report(const session_report& session, const node_identity& who);

}  // namespace firstlight
