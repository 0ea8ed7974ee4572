#include "actors/hub/hub_daemon.hpp"

#include <spdlog/spdlog.h>

#include <random>

#include "actors/hub/hub_reports.hpp"
#include "actors/hub/trace_aggregator.hpp"
#include "actors/net/hub_link.hpp"
#include "actors/shutdown.hpp"
#include "actors/vital.hpp"
#include "config/settings.hpp"
#include "storage/allowed_deliveries.hpp"
#include "storage/beside.hpp"
#include "storage/file_io.hpp"
#include "storage/oci/read_access.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

std::uint32_t worker_count(const hub_options& options) {
  return options.workers != 0 ? options.workers : std::max(2U, std::thread::hardware_concurrency());
}

std::string host_of(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

source_options sources(const hub_options& options) {
  return {.limits = options.ingest,
          .registry = options.registry,
          .plain_http_hosts = options.plain_http_registries,
          .docker_config = options.docker_config,
          .spool_folder = options.store_folder / "spool"};
}

}  // namespace

hub_daemon::hub_daemon(caf::actor_system& system, const hub_options& options)
    : system_(system),
      learning_(options.learning),
      ingesters_(system, options.ingestions_max, worker_urgency::background),
      sweepers_(system, 1, worker_urgency::background),
      lookers_(system, options.tag_looks_max),
      openers_(system, 1),
      planners_(system, 1, worker_urgency::background),
      savers_(system, 1),
      builders_(system, worker_count(options), worker_urgency::background),
      learners_(system, 1, worker_urgency::background),
      packers_(system, 1, worker_urgency::background),
      trace_readers_(system, 1, worker_urgency::background),
      askers_(system, options.access.check == "never" ? 0 : options.access.questions_max) {}

result<void> hub_daemon::open_stores(const hub_options& options) {
  auto metadata = database::open(options.store_folder / "metadata", options.database);
  if (!metadata) return fail(metadata.error(), "the store " + options.store_folder.string());
  metadata_ = std::move(*metadata);
  auto contents =
      content_store::open(options.store_folder, *metadata_, {}, options.open_files_max, options.contents);
  if (!contents) return tl::unexpected(contents.error());
  contents_ = std::move(*contents);
  auto catalogue = image_catalogue::open(options.store_folder, *metadata_, options.catalogue);
  if (!catalogue) return tl::unexpected(catalogue.error());
  catalogue_ = std::move(*catalogue);
  if (const auto unreadable = catalogue_->unreadable(); !unreadable)
    spdlog::error("the records of images: {}", to_string(unreadable.error()));
  else if (!unreadable->empty())
    spdlog::error("{}", report_unreadable(*unreadable));
  auto segments = segment_cache::open(options.store_folder / "cache", options.segment_cache_bytes_max);
  if (!segments) return tl::unexpected(segments.error());
  segments_ = std::move(*segments);
  auto traces = trace_store::open(*metadata_, options.learning.kept);
  if (!traces) return tl::unexpected(traces.error());
  traces_ = std::move(*traces);
  layers_ = make_layer_cache(*metadata_, options.ingest);
  builder_ =
      std::make_unique<segment_builder>(*contents_, segments_.get(), block_geometry{}, options.segment);
  return make_folders(options.store_folder / "spool");
}

result<void> hub_daemon::spawn_guard(const hub_options& options) {
  if (options.access.check == "never") return {};
  auto source = sources(options);
  source.login = login_of::caller;
  auto& limits = source.registry;
  limits.attempts_max = options.access.attempts_max;
  // A registry may ask for pauses, too, and a pull waits for the answer.
  for (auto* limit :
       {&limits.connect_timeout, &limits.stall_timeout, &limits.request_timeout, &limits.backoff_max})
    *limit = std::min(*limit, options.access.timeout);
  const auto ask = [source](const image_reference& image, const shared_login& login) {
    auto by_caller = source;
    by_caller.caller_login = login;
    return check_read_access(image, by_caller);
  };
  const auto now = [] {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count();
  };
  const auto resumed = std::chrono::duration_cast<std::chrono::seconds>(options.access.times.resumed).count();
  const auto known = allowed_deliveries(*metadata_).since(now() - resumed);
  if (!known) return tl::unexpected(known.error());
  std::vector<kept_delivery> kept;
  for (const auto& one : *known)
    kept.push_back({{one.node, one.toc}, std::chrono::seconds(std::max<std::int64_t>(now() - one.at, 0))});
  const auto keep = [metadata = metadata_.get(), now](const delivery_allowed& allowed) {
    if (auto noted = allowed_deliveries(*metadata).note({allowed.node, allowed.toc, now()}); !noted)
      spdlog::warn("{} may not go on after a restart: {}", allowed.node, to_string(noted.error()));
  };
  guard_ = system_.spawn(make_access_guard,
                         access_guard_tools{options.access, ask, askers_, keep, std::move(kept)});
  return {};
}

/// It tells the aggregator of images of which traces came first.
void hub_daemon::spawn_library(const hub_options& options) {
  const auto learn_again_of = [to = aggregator_](const toc_id& image) {
    caf::anon_send(to, learn_again{image});
  };
  library_ = system_.spawn<caf::detached>(make_image_library,
                                          library_tools{*catalogue_,
                                                        *contents_,
                                                        *layers_,
                                                        sources(options),
                                                        options.plan.guess,
                                                        *traces_,
                                                        learning_,
                                                        options.tag_check_interval,
                                                        stop_,
                                                        guard_,
                                                        options.store_bytes_max,
                                                        learn_again_of,
                                                        options.refusals,
                                                        sweepers_,
                                                        options.image_removal_wait,
                                                        sweep_due(*metadata_),
                                                        options.image_removal_patience,
                                                        options.image_removal_hold,
                                                        lookers_,
                                                        options.tag_looks_per_host_max},
                                          ingesters_);
}

result<void> hub_daemon::spawn_actors(const hub_options& options, const std::string& version) {
  if (auto guarded = spawn_guard(options); !guarded) return guarded;
  auto identity = signing_identity::load(options.tls.certificate, options.tls.key);
  if (!identity) return tl::unexpected(identity.error());
  aggregator_ = system_.spawn<caf::detached>(
      make_trace_aggregator,
      aggregator_tools{
          *catalogue_, *traces_, learning_, learners_,
          [] { return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()); },
          std::random_device{}(), stop_.get(), contents_.get()});
  spawn_library(options);
  if (auto joined = join_peers(options, version); !joined) return joined;
  const preparation_tools preparation{*catalogue_,      *traces_,           *identity,
                                      options.plan.cut, options.plan.patch, options.plan.joint.starts};
  root_ = system_.spawn(make_hub_root, hub_root_tools{.library = library_,
                                                      .aggregator = aggregator_,
                                                      .peers = peers_,
                                                      .catalogue = *catalogue_,
                                                      .traces = *traces_,
                                                      .learning = learning_,
                                                      .trace_readers = trace_readers_,
                                                      .contents = *contents_,
                                                      .segments = *segments_,
                                                      .version = version,
                                                      .name = host_name(),
                                                      .platform = host_platform().text(),
                                                      .preparation = preparation,
                                                      .builder = *builder_,
                                                      .savers = savers_,
                                                      .stop = stop_,
                                                      .draining = draining_,
                                                      .store_bytes_max = options.store_bytes_max,
                                                      .delivery = options.plan.delivery,
                                                      .packing = options.segment,
                                                      .page_bytes = options.admin.page_bytes});
  caf::anon_send(aggregator_, caf::subscribe_atom_v, caf::actor_cast<caf::actor>(root_));
  if (options.segment.dense_level > 0) {
    packer_ = system_.spawn(make_dense_packer, dense_packer_tools{{*catalogue_, *builder_, options.plan.cut,
                                                                   options.plan.dense, stop_.get()},
                                                                  packers_});
    caf::anon_send(aggregator_, caf::subscribe_atom_v, caf::actor_cast<caf::actor>(packer_));
  }
  session_tools_ = std::make_shared<const session_tools>(
      session_tools{library_, aggregator_, preparation, *builder_, openers_, planners_, builders_,
                    options.plan, std::make_shared<warmup_turns>(), draining_, guard_});
  return {};
}

result<void> hub_daemon::listen(const hub_options& options, const std::string& version) {
  auto where = split_address(options.listen);
  if (!where) return tl::unexpected(where.error());
  const auto open_session = [this, tools = session_tools_](const node_identity& who, const node_link& link) {
    auto session = system_.spawn(make_node_session, session_peer{who.name, host_of(who.address), who.is_hub},
                                 link, *tools);
    caf::anon_send(root_, session_opened{who, session});
    return caf::actor_cast<node_session>(session);
  };
  auto listener = hub_listener::start(system_, loop_,
                                      {.address = where->host,
                                       .port = where->port,
                                       .tls = options.tls,
                                       .limits = options.link,
                                       .hub_name = host_name(),
                                       .software_version = version,
                                       .revoked_nodes = options.revoked_nodes,
                                       .admin_socket = options.socket.string(),
                                       .signs_with = session_tools_->preparation.identity.certificate_pem()},
                                      open_session);
  if (!listener) return tl::unexpected(listener.error());
  listener_ = std::move(*listener);
  const auto address = where->host + ":" + std::to_string(listener_->port());
  caf::anon_send(root_, listening{address});
  auto admin = admin_server::start(system_, loop_, options.socket, caf::actor_cast<admin_service>(root_),
                                   options.admin);
  if (!admin) return tl::unexpected(admin.error());
  admin_ = std::move(*admin);
  auto metrics = serve_metrics(system_, loop_, options, caf::actor_cast<admin_service>(root_));
  if (!metrics) return tl::unexpected(metrics.error());
  metrics_ = std::move(*metrics);
  if (options.address_file.empty()) return {};
  return write_file_durably(options.address_file,
                            bytes_view(reinterpret_cast<const std::byte*>(address.data()), address.size()));
}

result<void> hub_daemon::join_peers(const hub_options& options, const std::string& version) {
  for (const auto& address : options.peers) {
    auto limits = options.link;
    limits.bulk_connections = limits.bulk_connections_without_bbr = limits.opening_connections =
        0;  // hubs send each other no images
    auto link = spawn_hub_link(
        system_, loop_,
        {.address = address, .tls = options.tls, .limits = limits, .software_version = version});
    if (!link) return tl::unexpected(link.error());
    auto peer =
        system_.spawn<caf::detached>(make_hub_peer, peer_parts{.address = address,
                                                               .link = *link,
                                                               .aggregator = aggregator_,
                                                               .traces = *traces_,
                                                               .interval = learning_.peer_interval,
                                                               .known_max = learning_.peer_known_max,
                                                               .wait = learning_.peer_wait,
                                                               .calls_max = learning_.peer_calls_max});
    caf::anon_send(aggregator_, caf::subscribe_atom_v, caf::actor_cast<caf::actor>(peer));
    peer_links_.push_back(std::move(*link));
    peers_.push_back(std::move(peer));
  }
  return {};
}

result<std::unique_ptr<hub_daemon>> hub_daemon::start(caf::actor_system& system, const hub_options& options,
                                                      const std::string& version) {
  std::unique_ptr<hub_daemon> hub(new hub_daemon(system, options));
  start_helpers();
  if (auto opened = hub->open_stores(options); !opened) return tl::unexpected(opened.error());
  if (auto spawned = hub->spawn_actors(options, version); !spawned) return tl::unexpected(spawned.error());
  if (auto listening = hub->listen(options, version); !listening) return tl::unexpected(listening.error());
  abort_without(hub->library_, hub->guard_, hub->aggregator_, hub->packer_, hub->root_);
  return hub;
}

hub_daemon::~hub_daemon() {
  stop_->store(true);
  metrics_.reset();
  admin_.reset();
  listener_.reset();  // ends the sessions
  end_actors(system_, root_);
  for (auto& peer : peers_) end_actors(system_, peer);
  for (auto& link : peer_links_) end_actors(system_, link);
  loop_.stop();
  end_actors(system_, library_, guard_, aggregator_, packer_);
  session_tools_.reset();
  end_workers(system_, ingesters_, sweepers_, lookers_, openers_, planners_, savers_, builders_, learners_,
              packers_, trace_readers_, askers_);
  if (contents_ == nullptr) return;
  if (auto durable = contents_->checkpoint(); !durable) spdlog::error("{}", to_string(durable.error()));
}

}  // namespace firstlight
