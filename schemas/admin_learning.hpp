#pragma once
#include <cstdint>
#include <string>
#include <vector>

/// What users ask daemons about traces and orders, and what these answer: part of schemas/admin.hpp.
namespace firstlight {

// ---- requests to the hub ---------------------------------------------------------------------------

/// Answered by `admin_trace_list`.
struct admin_trace_list_request {
  friend bool operator==(const admin_trace_list_request&, const admin_trace_list_request&) = default;
};
/// Answered by `admin_trace_detail`.
struct admin_trace_show {
  std::string reference;
  std::string platform;
  std::uint32_t order_max = 0;  ///< at most so many runs of the order; 0: none
  std::string trace{};          ///< only this one, with what it has read: its id or the beginning of it
  friend bool operator==(const admin_trace_show&, const admin_trace_show&) = default;
};
/// Takes trace files in; each is for the image that it names. Answered by `admin_trace_imported`.
struct admin_trace_import {
  std::vector<std::string> files;  ///< JSON texts, schemas/trace_json.hpp
  std::string platform;            ///< of the images; empty: the hub's own
  std::uint32_t first = 1;         ///< the number that refusals give to the first file
  friend bool operator==(const admin_trace_import&, const admin_trace_import&) = default;
};
/// Answered by `admin_trace_texts`: a page of them.
struct admin_trace_export {
  std::string reference;  ///< empty: of all images
  std::string platform;
  std::string after;  ///< only traces with a higher id; empty: from the first
  friend bool operator==(const admin_trace_export&, const admin_trace_export&) = default;
};
/// Answered by `admin_trace_removed`.
struct admin_trace_remove {
  std::string reference;
  std::string platform;
  std::string id;  ///< a trace's id or its beginning; empty: all of the image
  friend bool operator==(const admin_trace_remove&, const admin_trace_remove&) = default;
};
/// Replays recorded starts against orders over a modelled link. Answered by `admin_trace_scores`.
struct admin_trace_score {
  std::string reference;
  std::string platform;
  std::vector<std::string> orders;  ///< traced, relative, static, image, oracle
  std::uint32_t round_trip_ms = 100;
  std::uint64_t bytes_per_second = 12'500'000;
  std::uint32_t traces_max = 0;  ///< a traced order is learned from at most so many others; 0: all others
  bool plot = false;             ///< of the first start and the first order
  bool packed = false;           ///< count packed bytes too, which takes seconds
  friend bool operator==(const admin_trace_score&, const admin_trace_score&) = default;
};

// ---- requests to the node --------------------------------------------------------------------------

/// Says which starts are recorded from now on: of an image, a group, or (both empty) all. Answered by
/// `admin_done`.
struct admin_trace_switch {
  std::string reference;
  std::string group;
  bool on = false;
  friend bool operator==(const admin_trace_switch&, const admin_trace_switch&) = default;
};

/// Takes back what was said with `admin_trace_switch` of the same. Answered by `admin_done`.
struct admin_trace_default {
  std::string reference;
  std::string group;
  friend bool operator==(const admin_trace_default&, const admin_trace_default&) = default;
};

/// Which starts a node records.
struct admin_recording {
  std::string mode;                       ///< the setting: always, first, never
  std::uint32_t starts = 0;               ///< of an image, with mode first
  std::vector<admin_trace_switch> words;  ///< what users have said otherwise
  friend bool operator==(const admin_recording&, const admin_recording&) = default;
};

/// Another hub with which traces are exchanged.
struct admin_peer {
  std::string address;
  std::string name;   ///< in its certificate; empty before the first join
  std::string state;  ///< "up", "connecting", "down"
  std::string last_error;
  std::uint64_t traces_sent = 0;  ///< since the hub was started
  std::uint64_t traces_fetched = 0;
  std::int64_t exchanged_at = 0;  ///< its latest good answer, seconds since the epoch; 0: none so far
  friend bool operator==(const admin_peer&, const admin_peer&) = default;
};

// ---- replies -----------------------------------------------------------------------------------------

/// What is known of an image's starts.
struct admin_traced_image {
  std::string reference;
  std::string platform;
  std::string toc;
  std::uint32_t traces = 0;        ///< on the hub's disk
  std::uint32_t learned_from = 0;  ///< traces that its order comes from; 0: guessed
  std::string relative;            ///< whose traces those are, if not its own
  std::uint32_t order_runs = 0;
  std::uint64_t expected_bytes = 0;  ///< what a start is expected to read, unpacked
  friend bool operator==(const admin_traced_image&, const admin_traced_image&) = default;
};
struct admin_trace_list {
  std::vector<admin_traced_image> images;
  std::uint64_t received = 0;  ///< since the hub was started
  std::uint64_t repeated = 0;
  std::uint64_t refused = 0;
  std::vector<std::string> refusals;  ///< why, the latest first
  friend bool operator==(const admin_trace_list&, const admin_trace_list&) = default;
};
struct admin_trace {
  std::string id;
  std::string node;
  std::string group;
  std::int64_t started_at = 0;  ///< seconds since the epoch
  std::uint32_t files = 0;
  std::uint64_t blocks = 0;   ///< whose reads were seen
  std::uint64_t span_ms = 0;  ///< until the last first access
  std::uint64_t wait_ms = 0;
  friend bool operator==(const admin_trace&, const admin_trace&) = default;
};
struct admin_order_run {
  std::string path;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool expected = false;           ///< a start is believed to read it
  std::uint32_t read_percent = 0;  ///< of the starts it was learned from, by weight; 0: no such is known
  friend bool operator==(const admin_order_run&, const admin_order_run&) = default;
};
/// Blocks of a file that a start has first read together. Times count from the start of the instance.
struct admin_trace_run {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint64_t access_ns = 0;
  std::uint64_t wait_ns = 0;
  friend bool operator==(const admin_trace_run&, const admin_trace_run&) = default;
};
struct admin_trace_file {
  std::string path;
  std::uint64_t access_ns = 0;        ///< the first one
  std::uint64_t wait_ns = 0;          ///< of all its blocks
  std::vector<admin_trace_run> runs;  ///< by access; empty: opened, and which blocks were read is not known
  friend bool operator==(const admin_trace_file&, const admin_trace_file&) = default;
};
struct admin_trace_detail {
  admin_traced_image image;
  std::vector<admin_trace> traces;  ///< the latest first
  std::vector<admin_order_run> order;
  std::vector<admin_trace_file> files;  ///< of the one trace that was asked for, by access
  friend bool operator==(const admin_trace_detail&, const admin_trace_detail&) = default;
};
struct admin_trace_imported {
  std::uint32_t added = 0;
  std::uint32_t known = 0;
  std::vector<std::string> refused;  ///< one line each
  friend bool operator==(const admin_trace_imported&, const admin_trace_imported&) = default;
};
struct admin_trace_text {
  std::string id;
  std::string json;
  friend bool operator==(const admin_trace_text&, const admin_trace_text&) = default;
};
struct admin_trace_texts {
  std::vector<admin_trace_text> traces;  ///< by id
  std::string collection;                ///< their optimised groups, JSON; of a page empty
  bool more = false;                     ///< there are traces after the last of these
  friend bool operator==(const admin_trace_texts&, const admin_trace_texts&) = default;
};
struct admin_trace_removed {
  std::uint32_t traces = 0;
  friend bool operator==(const admin_trace_removed&, const admin_trace_removed&) = default;
};
struct admin_recall {
  std::uint32_t stream_percent = 0;
  std::uint32_t read_percent = 0;  ///< of what the start read had been sent by then
  friend bool operator==(const admin_recall&, const admin_recall&) = default;
};
/// One start against one order.
struct admin_trace_score_row {
  std::string order;
  std::string trace;  ///< id
  std::uint64_t stall_us = 0;
  std::uint64_t end_us = 0;
  std::uint32_t misses = 0;
  std::uint64_t touched_bytes = 0;
  std::uint64_t sent_bytes = 0;  ///< in the order before the last block that was read
  std::vector<admin_recall> recall;
  std::uint64_t packed_touched_bytes = 0;  ///< as one zstd -19 frame; both zero unless asked for
  std::uint64_t packed_sent_bytes = 0;     ///< on the wire, of what the hub has had time to pack densely
  friend bool operator==(const admin_trace_score_row&, const admin_trace_score_row&) = default;
};
struct admin_trace_scores {
  std::vector<admin_trace_score_row> rows;
  std::string svg;  ///< the plot
  friend bool operator==(const admin_trace_scores&, const admin_trace_scores&) = default;
};

}  // namespace firstlight
