#include "actors/node/gather.hpp"
#include "actors/node/node_shell.hpp"
#include "schemas/protocol_version.hpp"

namespace firstlight::detail {
namespace {

result<std::vector<admin_node_image>> images(const node_shell& my) {
  auto records = my.tools->catalogue.list();
  if (!records) return tl::unexpected(records.error());
  std::vector<admin_node_image> said;
  for (const auto& record : *records) {
    auto toc = my.tools->catalogue.toc(record.toc);
    const auto held = toc ? measure_held(**toc, my.tools->contents) : held_bytes{};
    said.push_back(report(record, held, mounts_of(my, key_of(record))));
  }
  return said;
}

/// What the user should know or can change.
std::vector<std::string> notices(const node_shell& my, const admin_node_status& status) {
  std::vector<std::string> said;
  for (const auto& delivery : status.deliveries)
    if (delivery.last_known)
      said.push_back(delivery.reference +
                     " is the tag's last known meaning: the hub could not ask its registry");
  if (status.link.state != "up")
    said.push_back("no hub at " + status.link.address + ": what is here runs on, what is missing waits (" +
                   status.link.last_error + ")");
  for (const auto& [key, source] : my.state().receivers)
    if (source.failed)
      said.push_back(key.first + " is incomplete and its delivery has failed; a read starts it again");
  if (const auto lost = my.tools->contents.lost_at_opening(); lost > 0)
    said.push_back(
        std::to_string(lost) +
        " of the store's files were gone or cut short when this node was started, as after a power cut: "
        "what images lack of them arrives again");
  if (is_above_limit(my) && !something_arrives(my.state()))
    said.push_back(
        "the store is above store_bytes_max: what is left is mounted, waits for the hub, or is containerd's; "
        "umount it, or remove images in containerd ('ctr images rm', 'crictl rmi')");
  const auto images = my.tools->catalogue.unreadable();
  for (const auto& damage :
       {report_unreadable_layers(my.tools->layers.unreadable()), my.state().snapshot_damage,
        images ? report_unreadable_images(*images) : std::string()})
    if (!damage.empty()) said.push_back(damage);
  if (my.tools->keeper_problem)
    if (const auto problem = my.tools->keeper_problem(); !problem.empty()) said.push_back(problem);
  return said;
}

/// With those that have ended, the latest first.
void add_ended(const node_shell& my, std::vector<admin_delivery>& deliveries) {
  for (const auto& ended : my.state().ended) {
    const auto shown = std::any_of(deliveries.begin(), deliveries.end(),
                                   [&](const admin_delivery& one) { return one.id == ended.delivery; });
    if (!shown) deliveries.push_back(report(ended));
  }
}

admin_node_status basics(const node_shell& my) {
  const auto uptime = std::chrono::steady_clock::now() - my.state().started;
  admin_node_status status{
      .version = my.tools->version,
      .protocol_version = protocol_version,
      .name = my.tools->name,
      .uptime_ms =
          static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count()),
      .store_bytes = my.tools->contents.bytes_stored(),
      .store_bytes_max = my.tools->store_bytes_max,
  };
  const auto records = my.tools->catalogue.list().value_or(std::vector<image_record>{});
  status.images = static_cast<std::uint32_t>(records.size());
  status.images_complete = static_cast<std::uint32_t>(std::count_if(
      records.begin(), records.end(), [](const image_record& record) { return record.complete; }));
  return status;
}

void finish(const node_shell& my, admin_node_status status, admin_promise reply) {
  for (const auto& one : status.deliveries) status.verification_failures += one.verification_failures;
  status.notices = notices(my, status);
  status.draining = my.state().draining;
  status.snapshots = my.state().snapshots;
  if (!status.snapshots.last_fallback.empty())
    status.notices.push_back("containerd downloaded an image itself: " + status.snapshots.last_fallback);
  if (auto recording = report_recording(my))
    status.recording = std::move(*recording);
  else
    status.notices.push_back("which starts are recorded: " + to_string(recording.error()));
  if (status.draining) status.notices.push_back("this node drains: new mounts and pulls are refused");
  my.self->request(my.tools->collector, my.tools->limits.report_timeout, caf::get_atom_v)
      .then(
          [reply, status](const collector_status& traces) mutable {
            status.traces_unsent = traces.unsent;
            status.traces_sent = traces.sent;
            status.traces_refused = traces.refused;
            status.files_recorded = traces.files_recorded;
            if (!traces.last_error.empty() && traces.unsent > 0)
              status.notices.push_back("traces wait for the hub: " + traces.last_error);
            deliver(reply, status);
          },
          [reply, status](const caf::error&) { deliver(reply, status); });
}

void with_link(const node_shell& my, std::function<void(admin_link)> then) {
  my.self->request(my.tools->link, my.tools->limits.report_timeout, caf::get_atom_v)
      .then([then](const link_status& link) { then(report(link)); },
            [then](const caf::error& problem) {
              then(admin_link{.state = "unknown", .last_error = from_caf(problem).detail});
            });
}

}  // namespace

void gather_mounts(const node_shell& my, std::function<void(std::vector<admin_mount>)> then) {
  const auto& mounts = my.state().mounts;
  if (mounts.empty()) return then({});
  auto all =
      std::make_shared<collection<admin_mount>>(collection<admin_mount>{{}, mounts.size(), std::move(then)});
  for (const auto& [name, mount] : mounts) {
    const auto add = [my, all, entry = mount.entry](const instance_status& status) {
      all->answers.push_back(report(entry, status, measure_held(*entry.image.toc, my.tools->contents)));
      all->settle();
    };
    if (!mount.entry.failure.empty())
      add({});
    else
      my.self->request(mount.handle, my.tools->limits.report_timeout, caf::get_atom_v)
          .then(add, [all](const caf::error&) { all->settle(); });
  }
}

void gather_deliveries(const node_shell& my, std::function<void(std::vector<admin_delivery>)> then) {
  auto whole = [my, then = std::move(then)](std::vector<admin_delivery> deliveries) {
    add_ended(my, deliveries);
    then(std::move(deliveries));
  };
  const auto& receivers = my.state().receivers;
  if (receivers.empty()) return whole({});
  auto all = std::make_shared<collection<admin_delivery>>(
      collection<admin_delivery>{{}, receivers.size(), std::move(whole)});
  for (const auto& [key, running] : receivers)
    my.self->request(running.handle, my.tools->limits.report_timeout, caf::get_atom_v)
        .then(
            [all](const receiver_report& delivery) {
              all->answers.push_back(report(delivery));
              all->settle();
            },
            [all](const caf::error&) { all->settle(); });
}

// Whoever looks for a mount of an earlier process must not miss it.
void list(const node_shell& my, admin_promise reply) {
  once_taken_over(my, [=] {
    auto known = images(my);
    if (!known) return refuse(reply, known.error());
    gather_mounts(my, [reply, known = std::move(*known)](std::vector<admin_mount> mounts) mutable {
      deliver(reply, admin_listing{std::move(known), std::move(mounts)});
    });
  });
}

void status(const node_shell& my, admin_promise reply) {
  gather_mounts(my, [my, reply](std::vector<admin_mount> mounts) {
    gather_deliveries(my, [my, reply, mounts](std::vector<admin_delivery> deliveries) {
      with_link(my, [my, reply, mounts, deliveries](admin_link link) {
        auto said = basics(my);
        said.mounts = mounts;
        said.deliveries = deliveries;
        said.link = std::move(link);
        finish(my, std::move(said), reply);
      });
    });
  });
}

}  // namespace firstlight::detail
