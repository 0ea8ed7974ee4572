#include "config/bindings_common.hpp"

namespace firstlight::detail {

void bind_tls(binder& to, tls_files& o) {
  to.section("tls.");
  to.bind("ca", o.ca, "certificate of the cluster's authority, PEM");
  to.bind("certificate", o.certificate, "own certificate, PEM; made by 'firstlight pki issue'");
  to.bind("key", o.key, "own private key, PEM, mode 0600");
}

void bind_link(binder& to, link_limits& o) {
  to.section("link.");
  to.bind("silence_max", o.silence_max, "a silent peer is considered gone after this");
  to.bind("connect_timeout", o.connect_timeout, "TCP and TLS handshake together");
  to.bind("join_timeout", o.join_timeout, "from the handshake to the join");
  to.bind("queue_wait_max", o.queue_wait_max, "queued bytes without any progress: the peer is dropped");
  to.bind("backoff_first", o.backoff_first, "before the first reconnect; doubles, jittered");
  to.bind("backoff_max", o.backoff_max, "longest pause between two reconnects");
  to.bind("handshakes_open_max", o.handshakes_open_max, "incoming TLS handshakes at once");
  to.bind("nodes_max", o.nodes_max, "hub: joined nodes");
  to.bind("admin_connections_max", o.admin_connections_max, "connections of consoles on other machines");
  to.bind("connections_per_node_max", o.connections_per_node_max,
          "hub: connections with one certificate name");
  to.bind("pulls_per_node_max", o.pulls_per_node_max, "hub: unanswered pulls of one node");
  to.bind("message_bytes_max", o.message_bytes_max,
          "largest message accepted; above any segment or table of contents");
  to.bind("node_message_bytes_max", o.node_message_bytes_max, "hub: largest message accepted from a node");
  to.bind("call_words_in_flight_max", o.call_words_in_flight_max,
          "unanswered calls of a connection, in 8-byte words");
  to.bind("replies_queued_max", o.replies_queued_max, "hub: unread replies before it stops reading");
  to.bind("outgoing_waiting_max", o.outgoing_waiting_max,
          "hub: transfers kept until a bulk connection is there");
  to.bind("bulk_connections", o.bulk_connections, "node: with BBR on the far side one is enough");
  to.bind("opening_connections", o.opening_connections,
          "node: besides, for the table of contents of a pull that waits for the join");
  to.bind("opening_time", o.opening_time, "hub: then it ends opening connections that it does not use");
  to.bind("bulk_connections_without_bbr", o.bulk_connections_without_bbr,
          "node: striped where the hub's kernel has no BBR");
  to.bind("unsent_low_water_bytes", o.unsent_low_water_bytes, "TCP_NOTSENT_LOWAT of bulk sockets");
  to.bind("text_bytes_max", o.text_bytes_max, "names, references, stages in a message");
  to.bind("login_bytes_max", o.login_bytes_max, "hub: each part of a login that comes with a pull");
  to.bind("had_images_max", o.had_images_max, "images named in one pull");
}

void bind_admin(binder& to, admin_socket_limits& o) {
  to.section("admin.");
  to.bind("connections_max", o.connections_max, "local clients at once; further ones are closed at once");
  to.bind("message_bytes_max", o.message_bytes_max, "largest request or reply");
  to.bind("page_bytes", o.page_bytes, "hub: of exported traces in one reply");
}

void bind_store(binder& to, database_limits& database, content_store_limits& contents,
                catalogue_limits& catalogue) {
  to.section("database.");
  to.bind("block_cache_bytes", database.block_cache_bytes, "memory for blocks of the metadata database");
  to.bind("write_buffer_bytes", database.write_buffer_bytes, "one memtable; at most two exist");
  to.bind("write_ahead_log_bytes", database.write_ahead_log_bytes, "then memtables are flushed");
  to.bind("open_files", database.open_files, "files that the database keeps open");
  to.bind("background_jobs", database.background_jobs, "threads that compact and flush");
  to.section("contents.");
  to.bind("writer_memory_bytes", contents.writer_memory_bytes,
          "a new content is kept in memory up to this size");
  to.section("catalogue.");
  to.bind("unnamed_kept_max", catalogue.unnamed_kept_max,
          "hub: tables of contents of images whose tag means another one now, the latest");
  to.bind("tocs_kept_open", catalogue.tocs_kept_open,
          "tables of contents mapped although nobody uses them now");
}

}  // namespace firstlight::detail
