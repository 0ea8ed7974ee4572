#include <spdlog/spdlog.h>

#include "actors/node/node_reports.hpp"
#include "actors/node/snapshotter_shell.hpp"

namespace firstlight::detail {
namespace {

result<std::set<std::uint64_t>> folders_perhaps_of(const snapshotter_shell& my, const std::string& name) {
  auto ids = my.tools->folders.ids();
  if (!ids) return ids;
  my.index().each([&](const snapshot_record& record) { ids->erase(record.id); });
  for (const auto id : my.state().removing) ids->erase(id);  // of one that could be read
  const auto& refused = my.tools->records.refused();
  for (const auto& [other, record] : refused)
    if (other != name) ids->erase(record.id);
  if (const auto known = refused.find(name); known != refused.end())
    std::erase_if(*ids, [&](std::uint64_t id) { return id != known->second.id; });
  return ids;
}

}  // namespace

std::string tell_damage(const snapshotter_shell& my) {
  return report_unserved_snapshots(my.tools->records.unserved(), my.tools->folders.folder());
}

// In the actor itself: no snapshot is made, removed or cleaned up meanwhile, but for what workers remove.
result<record_forgotten> forget_damaged(const snapshotter_shell& my, const std::string& name) {
  auto& tools = *my.tools;
  const auto* const damaged = find_unreadable(tools.records.unserved(), name);
  if (damaged == nullptr) return fail(errc::not_found, "no snapshot " + name + " is damaged");
  const auto exact = damaged->name;
  const auto ids = folders_perhaps_of(my, exact);
  if (!ids) return tl::unexpected(ids.error());
  record_forgotten done;
  if (!ids->empty()) {
    const auto aside = tools.folders.set_aside(*ids);
    if (!aside) return tl::unexpected(aside.error());
    spdlog::warn("what may be the files of the damaged snapshot {} is in {} now", exact, aside->string());
    done.files = *aside;
  }
  if (auto gone = tools.records.drop(exact); !gone) return tl::unexpected(gone.error());
  my.state().manifests.reset();
  tell_news(my);
  show_from_others(my);
  unmount_unused(my);
  forget_unused(my);
  return done;
}

}  // namespace firstlight::detail
