#include "fuse_bridge/hybrid/content_mount.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>

#include "actors/shutdown.hpp"
#include "fuse_bridge/hybrid/content_node.hpp"
#include "fuse_bridge/kernel_mount.hpp"
#include "fuse_bridge/read_ahead.hpp"

namespace firstlight {
namespace {

/// Serves a read again whose mount has gone, if another one has the content.
bool serve_again(const content_directory& directory, const read_service& reads, refused_windows& refused,
                 const parked_request& read) {
  if (!read.toc->contents_known()) return false;
  const auto node = content_node::of(read.toc->content(read.content).id);
  const auto content = directory.find_node(node);
  if (!content) return false;
  const auto& member = *content->member;
  // As if the program saw this very answer: it has waited already.
  serve_read(reads, refused, read.request, member.image,
             {node, content->inode, content->content, read.offset, read.bytes, true, content->notes},
             member.on_park);
  note_gave_up(read.notes);  // those of the mount that it now waits with have been told
  return true;
}

}  // namespace

content_mount::content_mount(caf::actor_system& system, content_mount_parts parts)
    : system_(system),
      parts_(std::move(parts)),
      early_(parts_.keeper ? parts_.early : std::filesystem::path()),
      reads_{parts_.store, std::make_shared<parked_reads>(parts_.limits.parked_reads_max)},
      refused_again_(std::make_shared<refused_windows>(parts_.limits.refused_windows_max)) {
  bridge_ = spawn_bridge(
      system, {reads_,
               [directory = directory_, reads = reads_, refused = refused_again_](
                   const parked_request& read) { return serve_again(*directory, reads, *refused, read); },
               parts_.limits});
}

std::unique_ptr<content_session> content_mount::new_session() const {
  return std::make_unique<content_session>(content_session_parts{
      .directory = directory_,
      .reads = reads_,
      .on_interrupt = [bridge =
                           bridge_](waiter_id waiter) { caf::anon_send(bridge, read_interrupted{waiter}); },
      .on_end = [alive = alive_] { alive->store(false); },
      .limits = parts_.limits});
}

result<void> content_mount::start() {
  if (auto there = make_folders(parts_.point); !there) return there;
  early_.forget_all();
  auto session = fuse_mount_session::start(new_session(), parts_.point);
  if (!session) return tl::unexpected(session.error());
  session_ = std::move(*session);
  mounted_ = true;
  let_keep();
  return {};
}

result<void> content_mount::go_on(const kept_session& left) {
  auto session = fuse_mount_session::take_over(new_session(), left);
  alive_->store(session.has_value());
  if (!session) {
    if (parts_.keeper) parts_.keeper->drop(std::string(kept_contents_name));
    return tl::unexpected(session.error());
  }
  session_ = std::move(*session);
  mounted_ = true;
  let_keep();
  return {};
}

void content_mount::let_keep() {
  if (!parts_.keeper) return;
  // Until the kernel has its first answer nobody could go on.
  struct stat root {};
  stat(parts_.point.c_str(), &root);
  const auto handover = session_->what_to_keep();
  if (handover.after_crash)
    parts_.keeper->keep(std::string(kept_contents_name), {}, handover.init, handover.device);
}

result<void> content_mount::join(const std::shared_ptr<content_member>& member, const instance& behind) {
  member->on_park = [behind, given_up = member->given_up, parked = reads_.parked](const park_read& read) {
    if (!*given_up) return caf::anon_send(behind, read);
    // Parked already: if `give_up` comes meanwhile, one of both finds it.
    if (const auto refused = parked->take(read.waiter)) refuse_read(*refused, EIO);
  };
  return directory_->join(member);
}

void content_mount::learn(const std::shared_ptr<const content_member>& member) {
  directory_->learn(member.get());
  std::vector<content_id> ids;
  const auto& toc = *member->image.toc;
  for (std::uint32_t i = 0; i < toc.content_count(); ++i) ids.push_back(toc.content(i).id);
  const std::lock_guard lock(early_lock_);
  if (!directory_->has(member->toc)) return;  // it has left meanwhile
  if (const auto kept = early_.keep(member->toc, ids); !kept)
    spdlog::warn("some files are not readable while this node is away: {}", to_string(kept.error()));
}

void content_mount::leave(const std::shared_ptr<const content_member>& member) {
  const std::lock_guard lock(early_lock_);
  directory_->leave(member.get());
  if (!directory_->has(member->toc)) early_.forget(member->toc);
}

void content_mount::give_up(const std::shared_ptr<const content_member>& member) {
  member->given_up->store(true);
  for (const auto& read : reads_.parked->take_of(*member->image.counters))
    if (!serve_again(*directory_, reads_, *refused_again_, read)) refuse_read(read, EIO);
}

void content_mount::set_read_ahead(std::uint32_t bytes) {
  if (const auto set = firstlight::set_read_ahead(parts_.point, bytes); !set)
    spdlog::info("reads of arriving files stay small: {}", set.error().detail);
}

content_mount::~content_mount() {
  // It answers requests of the session, which is freed below. Waiting cannot deadlock, not even in an actor's
  // thread: the bridge has its own, waits for nothing but the disk and short locks, and never holds the last
  // reference to this mount.
  end_worker(system_, caf::actor_cast<caf::actor>(bridge_));
  if (left_behind_) {
    if (session_) static_cast<void>(session_->leave_behind());  // this kernel repeats
    return;
  }
  if (!alive()) return;  // a later one may be mounted there, and kept
  if (mounted_) {
    cut_off(parts_.point);
    if (auto gone = unmount(parts_.point, busy_mount::detach); !gone)
      spdlog::warn("a mount stays behind until the next start: {}", gone.error().detail);
  }
  session_.reset();
  if (parts_.keeper) parts_.keeper->drop(std::string(kept_contents_name));
  early_.forget_all();
  std::error_code ignored;  // somebody looks into it: the next start removes it
  std::filesystem::remove(parts_.point, ignored);
}

}  // namespace firstlight
