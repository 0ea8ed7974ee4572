#include "containerd/grpc_status.hpp"

namespace firstlight {
namespace {

grpc::StatusCode code_of(errc code) {
  switch (code) {
    case errc::invalid_argument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case errc::not_found:
      return grpc::StatusCode::NOT_FOUND;
    case errc::already_exists:
      return grpc::StatusCode::ALREADY_EXISTS;
    case errc::failed_precondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case errc::corrupt:
      return grpc::StatusCode::DATA_LOSS;
    case errc::no_space:
    case errc::limit_exceeded:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case errc::unavailable:
    case errc::busy:
    case errc::not_ready:
      return grpc::StatusCode::UNAVAILABLE;
    case errc::timed_out:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case errc::denied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case errc::unsupported:
      return grpc::StatusCode::UNIMPLEMENTED;
    case errc::cancelled:
      return grpc::StatusCode::CANCELLED;
    case errc::io:
    case errc::protocol:
      return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::UNKNOWN;
}

errc code_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::OUT_OF_RANGE:
      return errc::invalid_argument;
    case grpc::StatusCode::NOT_FOUND:
      return errc::not_found;
    case grpc::StatusCode::ALREADY_EXISTS:
      return errc::already_exists;
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ABORTED:
      return errc::failed_precondition;
    case grpc::StatusCode::DATA_LOSS:
      return errc::corrupt;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return errc::limit_exceeded;
    case grpc::StatusCode::UNAVAILABLE:
      return errc::unavailable;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return errc::timed_out;
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return errc::denied;
    case grpc::StatusCode::UNIMPLEMENTED:
      return errc::unsupported;
    case grpc::StatusCode::CANCELLED:
      return errc::cancelled;
    default:
      return errc::io;
  }
}

}  // namespace

grpc::Status to_grpc(const error& failure) {
  return {code_of(failure.code), failure.detail};
}

error from_grpc(const grpc::Status& status) {
  return {code_of(status.error_code()), status.error_message()};
}

}  // namespace firstlight
