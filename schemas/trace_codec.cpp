#include "schemas/trace_codec.hpp"

#include "schemas/capnp_message.hpp"
#include "schemas/trace.capnp.h"

namespace firstlight {
namespace {

using std::chrono::nanoseconds;

void write(wire::Trace::TracedFile::Builder out, const traced_file& file) {
  out.setPath(detail::text_data(file.path));
  out.setAccess(file.access.count());
  out.setWait(file.wait.count());
  auto runs = out.initRuns(static_cast<unsigned>(file.runs.size()));
  for (unsigned i = 0; i < runs.size(); ++i) {
    runs[i].setFirst(file.runs[i].first);
    runs[i].setCount(file.runs[i].count);
    runs[i].setAccess(file.runs[i].access.count());
    runs[i].setWait(file.runs[i].wait.count());
  }
}

traced_file read(wire::Trace::TracedFile::Reader in) {
  traced_file file{detail::as_text(in.getPath()), nanoseconds(in.getAccess()), nanoseconds(in.getWait()), {}};
  file.runs.reserve(in.getRuns().size());
  for (const auto run : in.getRuns())
    file.runs.push_back(
        {run.getFirst(), run.getCount(), nanoseconds(run.getAccess()), nanoseconds(run.getWait())});
  return file;
}

}  // namespace

std::vector<std::byte> encode_trace(const trace& recorded, nanoseconds sent) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::Trace>();
  root.setId(detail::as_data(recorded.id.value));
  root.setToc(detail::as_data(recorded.toc.value));
  root.setReference(recorded.reference);
  root.setGroup(recorded.group);
  root.setNode(recorded.node);
  root.setStarted(recorded.started.count());
  root.setReceived(recorded.received.count());
  if (!recorded.spelling.image.empty()) root.setImageName(recorded.spelling.image);
  if (!recorded.spelling.tag.empty()) root.setImageTag(recorded.spelling.tag);
  root.setRootedPaths(recorded.spelling.rooted);
  root.setSent(sent.count());
  auto files = root.initFiles(static_cast<unsigned>(recorded.files.size()));
  for (unsigned i = 0; i < files.size(); ++i) write(files[i], recorded.files[i]);
  return detail::flat_bytes(message);
}

result<trace> decode_trace(bytes_view message) {
  return detail::decode_message<wire::Trace>(message, [](auto root) -> result<trace> {
    const auto id = digest_from_bytes(detail::as_bytes(root.getId()));
    const auto toc = digest_from_bytes(detail::as_bytes(root.getToc()));
    if (!id || !toc) return fail(errc::corrupt, "a trace without id or image");
    trace recorded{{*id},
                   {*toc},
                   root.getReference().cStr(),
                   root.getGroup().cStr(),
                   root.getNode().cStr(),
                   nanoseconds(root.getStarted()),
                   {},
                   nanoseconds(root.getReceived()),
                   {root.getImageName().cStr(), root.getImageTag().cStr(), root.getRootedPaths()}};
    recorded.files.reserve(root.getFiles().size());
    for (const auto file : root.getFiles()) recorded.files.push_back(read(file));
    return recorded;
  });
}

result<nanoseconds> decode_sent(bytes_view message) {
  return detail::decode_message<wire::Trace>(
      message, [](auto root) -> result<nanoseconds> { return nanoseconds(root.getSent()); });
}

std::vector<std::byte> encode_stamp(const trace_stamp& stamp) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::TraceStamp>();
  root.setNode(stamp.node);
  root.setStarted(stamp.started.count());
  root.setReceived(stamp.received.count());
  root.setBytes(stamp.bytes);
  root.setReference(stamp.reference);
  root.setGroup(stamp.group);
  return detail::flat_bytes(message);
}

result<trace_stamp> decode_stamp(const trace_id& id, bytes_view message) {
  return detail::decode_message<wire::TraceStamp>(message, [&](auto root) -> result<trace_stamp> {
    return trace_stamp{id,
                       root.getNode().cStr(),
                       nanoseconds(root.getStarted()),
                       nanoseconds(root.getReceived()),
                       root.getBytes(),
                       root.getReference().cStr(),
                       root.getGroup().cStr()};
  });
}

}  // namespace firstlight
