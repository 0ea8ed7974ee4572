#include "actors/node/node_daemon.hpp"

#include <spdlog/spdlog.h>

#include "actors/net/hub_link.hpp"
#include "actors/node/layer_store.hpp"
#include "actors/node/login_keeper.hpp"
#include "actors/node/node_shell.hpp"
#include "actors/node/snapshotter.hpp"
#include "actors/node/trace_collector.hpp"
#include "actors/shutdown.hpp"
#include "actors/vital.hpp"
#include "model/snapshot_mounts.hpp"
#include "storage/beside.hpp"
#include "storage/mark_incomplete.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

std::uint32_t worker_count(const node_options& options) {
  return options.workers != 0 ? options.workers : std::max(2U, std::thread::hardware_concurrency());
}

/// What a power cut has taken arrives again: without this it would be missed by readers only.
void find_losses(loss_check check, image_catalogue& catalogue, const content_store& contents) {
  const auto lacking = check.finish(catalogue, contents);
  if (!lacking)
    return spdlog::error("images that lack contents are looked for again at the next start: {}",
                         to_string(lacking.error()));
  for (const auto& reference : *lacking)
    spdlog::error("{} is not complete any more: files of the store are gone or cut short", reference);
}

/// It is in `status` as long as it lasts.
void log_damage(const std::string& notice) {
  if (!notice.empty()) spdlog::error("{}", notice);
}

}  // namespace

node_daemon::node_daemon(caf::actor_system& system, const node_options& options)
    : system_(system),
      workers_(system, worker_count(options)),
      keepers_(system, 1),
      loaders_(system, 1),
      snapshot_workers_(system, options.containerd.socket.empty() ? 0 : 2),
      login_workers_(system, 2) {}

std::filesystem::path node_daemon::mounts_folder(const node_options& options) {
  return options.run_folder / private_mounts_folder;
}

result<void> node_daemon::open_stores(const node_options& options) {
  auto metadata = database::open(options.store_folder / "metadata", options.database);
  if (!metadata) return fail(metadata.error(), "the store " + options.store_folder.string());
  metadata_ = std::move(*metadata);
  const auto losses = loss_check::begin(*metadata_);
  if (!losses) return tl::unexpected(losses.error());
  auto contents =
      content_store::open(options.store_folder, *metadata_, {}, options.open_files_max, options.contents);
  if (!contents) return tl::unexpected(contents.error());
  contents_ = std::move(*contents);
  auto catalogue = image_catalogue::open(options.store_folder, *metadata_, options.catalogue);
  if (!catalogue) return tl::unexpected(catalogue.error());
  catalogue_ = std::move(*catalogue);
  find_losses(*losses, *catalogue_, *contents_);
  auto layers = layer_registry::open(options.store_folder, *metadata_, options.layers);
  if (!layers) return tl::unexpected(layers.error());
  layers_ = std::move(*layers);
  log_damage(report_unreadable_layers(layers_->unreadable()));
  if (const auto unreadable = catalogue_->unreadable(); !unreadable)
    spdlog::error("the records of images: {}", to_string(unreadable.error()));
  else
    log_damage(report_unreadable_images(*unreadable));
  if (auto opened = open_snapshots(options); !opened) return opened;
  // The collector says which go when there are too many.
  auto unsent = trace_store::open(*metadata_, {.kept_max = std::numeric_limits<std::uint32_t>::max(),
                                               .kept_bytes_max = std::numeric_limits<std::uint64_t>::max()});
  if (!unsent) return tl::unexpected(unsent.error());
  unsent_traces_ = std::move(*unsent);
  trace_drafts_ = std::make_unique<trace_drafts>(*metadata_);
  switches_ = std::make_unique<trace_switches>(*metadata_);
  return {};
}

result<void> node_daemon::open_snapshots(const node_options& options) {
  if (options.containerd.socket.empty()) return {};
  auto records = snapshot_records::open(*metadata_, options.containerd.snapshots);
  if (!records) return tl::unexpected(records.error());
  log_damage(report_unserved_snapshots(records->unserved(), options.store_folder / snapshots_folder));
  snapshots_ = std::move(*records);
  return {};
}

result<void> node_daemon::spawn_actors(const node_options& options, const std::string& version,
                                       const std::vector<left_mount>& left,
                                       const mounter_factory& make_mounter) {
  std::set<layer_id> layers;
  for (const auto& one : left)
    if (one.mount.record.writable) layers.insert(one.mount.record.writable->layer);
  auto home = parse_platform(options.platform);
  if (!home) return tl::unexpected(home.error());
  auto authority = trust_anchor::load(options.tls.ca);
  if (!authority) return tl::unexpected(authority.error());
  auto link = spawn_hub_link(
      system_, loop_,
      {.address = options.hub,
       .tls = options.tls,
       .limits = options.link,
       .software_version = version,
       .hub_signs_with = [anchor = *authority, checker = workers_.next()](const std::string& certificate) {
         // What is wrong with it is said when a statement comes.
         caf::anon_send(checker, work{[anchor, certificate] {
                          static_cast<void>(anchor.meet_hub(certificate, std::chrono::system_clock::now()));
                        }});
       }});
  if (!link) return tl::unexpected(link.error());
  link_ = std::move(*link);
  if (auto there = make_folders(options.run_folder); !there) return there;
  const auto plans = std::make_shared<erofs_plans>(erofs_limits{});
  auto made = make_mounter(*contents_, plans, left);
  if (!made) return tl::unexpected(made.error());
  mounter_ = std::move(*made);
  if (auto removed = detail::remove_left_layers(*layers_, layers); !removed) return removed;
  collector_ = system_.spawn<caf::detached>(
      make_trace_collector, collector_tools{*unsent_traces_, *trace_drafts_, link_,
                                            options.recording.unsent_max, options.recording.retry_interval});
  layer_store_ =
      system_.spawn<caf::detached>(make_layer_store, layer_store_tools{layers_.get(), detail::unix_now});
  logins_ = system_.spawn(
      make_login_keeper,
      login_keeper_tools{options.logins, std::make_shared<provider_logins>(options.logins), login_workers_});
  root_ = system_.spawn<caf::detached>(make_node_root,
                                       node_root_tools{.catalogue = *catalogue_,
                                                       .contents = *contents_,
                                                       .layers = *layers_,
                                                       .layer_store = layer_store_,
                                                       .authority = *authority,
                                                       .link = link_,
                                                       .switches = *switches_,
                                                       .collector = collector_,
                                                       .recording = options.recording,
                                                       .mounts = mounter_,
                                                       .workers = workers_,
                                                       .keepers = keepers_,
                                                       .loaders = loaders_,
                                                       .stop = stop_,
                                                       .receiver = options.receiver,
                                                       .limits = options.root,
                                                       .run_folder = options.run_folder,
                                                       .mode = options.mount_mode,
                                                       .home = *home,
                                                       .version = version,
                                                       .name = host_name(),
                                                       .store_bytes_max = options.store_bytes_max,
                                                       .hub_wait = options.containerd.hub_wait,
                                                       .registrar = registrar_,
                                                       .logins = logins_,
                                                       .keeper_problem = keeper_problem_,
                                                       .plans = plans},
                                       left);
  if (snapshots_) spawn_snapshotter(options, *home);
  return {};
}

void node_daemon::spawn_snapshotter(const node_options& options, const platform& home) {
  const auto run = std::filesystem::absolute(options.run_folder);
  const auto store = std::filesystem::absolute(options.store_folder);
  snapshotter_ = system_.spawn<caf::detached>(
      make_snapshotter, std::make_shared<snapshotter_tools>(snapshotter_tools{
                            .records = std::move(*snapshots_),
                            .folders = snapshot_folders(store / snapshots_folder),
                            .catalogue = *catalogue_,
                            .contents = *contents_,
                            .root = caf::actor_cast<admin_service>(root_),
                            .news_to = caf::actor_cast<caf::actor>(root_),
                            .workers = snapshot_workers_,
                            .platform = home.text(),
                            .options = options.containerd,
                            .images_folder = run / "images",
                            .now_ns = [] {
                              return std::chrono::duration_cast<std::chrono::nanoseconds>(
                                         std::chrono::system_clock::now().time_since_epoch())
                                  .count();
                            }}));
  caf::anon_send(root_, snapshotter_);
}

result<std::unique_ptr<node_daemon>> node_daemon::start(
    caf::actor_system& system, const node_options& options, const std::string& version,
    std::vector<kept_mount> kept, const mounter_factory& make_mounter,
    std::function<std::string()> keeper_problem, image_registrar registrar) {
  std::unique_ptr<node_daemon> node(new node_daemon(system, options));
  start_helpers();
  node->keeper_problem_ = std::move(keeper_problem);
  node->registrar_ = std::move(registrar);
  if (auto opened = node->open_stores(options); !opened) return tl::unexpected(opened.error());
  // Before any mount of an earlier process is touched: a node that cannot serve leaves them to the next one.
  auto listener = admin_listener::bind(options.socket);
  if (!listener) return tl::unexpected(listener.error());
  const auto left = detail::find_images(*node->catalogue_, *node->layers_, *node->contents_, std::move(kept));
  if (auto spawned = node->spawn_actors(options, version, left, make_mounter); !spawned)
    return tl::unexpected(spawned.error());
  auto admin = admin_server::start(system, node->loop_, std::move(*listener),
                                   caf::actor_cast<admin_service>(node->root_), options.admin);
  if (!admin) return tl::unexpected(admin.error());
  node->admin_ = std::move(*admin);
  if (auto served = node->serve_other_machines(options); !served) return tl::unexpected(served.error());
  abort_without(node->root_, node->mounter_, node->layer_store_, node->collector_, node->logins_, node->link_,
                node->snapshotter_, node->registrar_);
  return node;
}

result<void> node_daemon::serve_other_machines(const node_options& options) {
  if (!options.admin_listen.empty()) {
    auto port = admin_port::start(loop_, {.listen = options.admin_listen,
                                          .tls = options.tls,
                                          .limits = options.link,
                                          .admin_socket = options.socket.string(),
                                          .revoked = options.revoked_nodes});
    if (!port) return tl::unexpected(port.error());
    admin_port_ = std::move(*port);
  }
  auto metrics = serve_metrics(system_, loop_, options, caf::actor_cast<admin_service>(root_));
  if (!metrics) return tl::unexpected(metrics.error());
  metrics_ = std::move(*metrics);
  return {};
}

node_daemon::~node_daemon() {
  stop_->store(true);
  metrics_.reset();
  admin_port_.reset();
  admin_.reset();
  end_actors(system_, snapshotter_, root_, mounter_, layer_store_);
  end_collector(system_, collector_);
  end_actors(system_, registrar_, logins_, link_);
  loop_.stop();
  end_workers(system_, workers_, keepers_, loaders_, snapshot_workers_, login_workers_);
  if (contents_ == nullptr) return;
  if (auto durable = contents_->checkpoint(); !durable) spdlog::error("{}", to_string(durable.error()));
}

}  // namespace firstlight
