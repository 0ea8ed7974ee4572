#pragma once
#include "actors/node/image_receiver.hpp"
#include "model/unreadable_record.hpp"
#include "schemas/admin.hpp"
#include "storage/holdings.hpp"

/// What the node's actors know, in the words of its users. Pure.
namespace firstlight {

/// What the node keeps of one mount beside its instance.
struct mount_facts {
  std::string name;
  std::filesystem::path target;
  mountable_image image;
  mount_mode mode = mount_mode::overlay;
  std::string method;
  std::string fallback;  ///< why it is not a better mode
  std::string lower{};   ///< of one for overlays
  bool read_only = false;
  std::int64_t mounted_at = 0;  ///< seconds since the epoch
  std::string failure{};        ///< admin_mount::failure
};

/// Stands before the name of a snapshot where a user names a layer.
inline constexpr std::string_view damaged_snapshot_word = "snapshot ";

// Notices of what a node cannot serve, with the command that forgets the first of it; empty: there is
// nothing.
[[nodiscard]] std::string report_unreadable_images(const std::vector<unreadable_record>& images);
[[nodiscard]] std::string report_unreadable_layers(const std::vector<unreadable_record>& layers);
[[nodiscard]] std::string report_unserved_snapshots(const std::vector<unreadable_record>& snapshots,
                                                    const std::filesystem::path& folder);

[[nodiscard]] admin_delivery report(const receiver_report& delivery);
[[nodiscard]] admin_link report(const link_status& link);
[[nodiscard]] admin_mount report(const mount_facts& mount, const instance_status& status,
                                 const held_bytes& held);
[[nodiscard]] admin_node_image report(const image_record& record, const held_bytes& held,
                                      std::uint32_t mounts);

}  // namespace firstlight
