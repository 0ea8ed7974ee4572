#pragma once
#include "actors/net/rpc/message_stream.hpp"
#include "config/link_limits.hpp"
#include "model/transfer.hpp"
#include "schemas/protocol.capnp.h"

/// Between the messages of protocol.capnp and the values of the model. Writers never fail; `lender` and
/// `keeper` are the stream of the connection: frames are neither copied when sent nor when received. Readers
/// check every count, index type and size that a value of the model promises; what depends on a TOC is
/// checked by whoever has it. Errors of all readers: `protocol`, with the field as detail.
namespace firstlight {

struct verdict;

void write_pull(wire::PullRequest::Builder out, const pull_request& request);
[[nodiscard]] result<pull_request> read_pull(wire::PullRequest::Reader in, const link_limits& limits);

void write_started(wire::PullStarted::Builder out, const pull_started& started);
[[nodiscard]] result<pull_started> read_started(wire::PullStarted::Reader in);

void write_progress(wire::PullProgress::Builder out, const pull_progress& progress);
[[nodiscard]] result<pull_progress> read_progress(wire::PullProgress::Reader in, const link_limits& limits);

void write_runs(capnp::List<wire::Run>::Builder out, const std::vector<block_run>& runs);
[[nodiscard]] result<std::vector<block_run>> read_runs(capnp::List<wire::Run>::Reader in);

void write_segment(wire::Segment::Builder out, const segment& data, message_stream& lender);
[[nodiscard]] result<segment> read_segment(wire::Segment::Reader in, const message_stream& keeper);

void write_toc(wire::TocFrame::Builder out, const toc_frame& toc, message_stream& lender);
[[nodiscard]] result<toc_frame> read_toc(wire::TocFrame::Reader in, const message_stream& keeper);

[[nodiscard]] wire::Landmark to_wire(landmark mark);
[[nodiscard]] result<landmark> from_wire(wire::Landmark mark);

/// Bytes that outlive their message.
[[nodiscard]] shared_bytes copy_data(capnp::Data::Reader in);

void write_verdict(wire::Verdict::Builder out, const verdict& answer);
[[nodiscard]] result<verdict> read_verdict(wire::Verdict::Reader in);

}  // namespace firstlight
