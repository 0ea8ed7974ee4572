#include "actors/net/rpc/greetings.hpp"

#include <algorithm>

#include "config/pki_options.hpp"

namespace firstlight {
namespace {

capnp::Text::Reader as_text(const std::string& value) {
  return {value.c_str(), value.size()};
}
capnp::Data::Reader as_data(const std::string& value) {
  return {reinterpret_cast<const kj::byte*>(value.data()), value.size()};
}
std::string bytes_of(capnp::Data::Reader in) {
  const auto chars = in.asChars();
  return {chars.begin(), chars.size()};
}
std::string cut_text(capnp::Text::Reader in, std::size_t bytes_max) {
  return {in.begin(), std::min(in.size(), bytes_max)};
}

void write_limits(wire::Limits::Builder out, const greeted_limits& limits) {
  out.setMessageBytesMax(limits.message_bytes_max);
  out.setHeartbeatMillis(static_cast<std::uint32_t>(limits.heartbeat.count()));
}
greeted_limits read_limits(wire::Limits::Reader in) {
  return {in.getMessageBytesMax(), std::chrono::milliseconds(in.getHeartbeatMillis())};
}

}  // namespace

void write_hello(wire::NodeHello::Builder out, const node_hello& hello) {
  out.setProtocolVersion(hello.protocol_version);
  out.setSoftwareVersion(as_text(hello.software_version));
  out.setSession(as_data(hello.session));
  out.setBlockBytes(hello.block_bytes);
  write_limits(out.initLimits(), hello.limits);
  out.setBulkConnections(hello.bulk_connections);
  out.setProcess(as_data(hello.process));
}

result<node_hello> read_hello(wire::NodeHello::Reader in, const hello_wanted& wanted) {
  if (in.getProtocolVersion() != wanted.protocol_version)
    return fail(errc::protocol, "the hub speaks protocol version " + std::to_string(wanted.protocol_version) +
                                    ", this node " + std::to_string(in.getProtocolVersion()) +
                                    "; install the same release on both");
  if (in.getBlockBytes() != wanted.block_bytes)
    return fail(errc::protocol, "the hub's block size is " + std::to_string(wanted.block_bytes) +
                                    " bytes, this node's " + std::to_string(in.getBlockBytes()));
  if (in.getSession().size() != token_bytes) return fail(errc::protocol, "the session has no 16 bytes");
  if (in.getProcess().size() > token_bytes) return fail(errc::protocol, "the process has more than 16 bytes");
  if (in.getSoftwareVersion().size() > wanted.text_bytes_max)
    return fail(errc::protocol, "the software version is too long");
  return node_hello{in.getProtocolVersion(),     cut_text(in.getSoftwareVersion(), wanted.text_bytes_max),
                    bytes_of(in.getSession()),   in.getBlockBytes(),
                    read_limits(in.getLimits()), in.getBulkConnections(),
                    bytes_of(in.getProcess())};
}

void write_welcome(wire::HubWelcome::Builder out, const hub_welcome& welcome) {
  out.setProtocolVersion(welcome.protocol_version);
  out.setSoftwareVersion(as_text(welcome.software_version));
  write_limits(out.initLimits(), welcome.limits);
  out.setHubName(as_text(welcome.hub_name));
  out.setBulkCongestion(as_text(welcome.bulk_congestion));
  out.setSignsWith(as_text(welcome.signs_with));
}

hub_welcome read_welcome(wire::HubWelcome::Reader in, const link_limits& limits) {
  const auto signer = in.getSignsWith();
  return {in.getProtocolVersion(),
          cut_text(in.getSoftwareVersion(), limits.text_bytes_max),
          read_limits(in.getLimits()),
          cut_text(in.getHubName(), limits.text_bytes_max),
          cut_text(in.getBulkCongestion(), congestion_name_bytes_max),
          signer.size() <= certificate_bytes_max ? cut_text(signer, certificate_bytes_max) : std::string()};
}

}  // namespace firstlight
