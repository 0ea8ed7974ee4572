# The gRPC code of containerd's API, generated from schemas/containerd/*.proto.
find_program(PROTOC protoc REQUIRED)
find_program(GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
find_library(grpcpp grpc++ REQUIRED)
find_library(grpc_core grpc REQUIRED)
find_library(gpr gpr REQUIRED)
find_library(protobuf protobuf REQUIRED)
find_library(absl_synchronization absl_synchronization REQUIRED)  # of which gRPC's headers inline calls

set(containerd_generated ${PROJECT_BINARY_DIR}/generated_containerd)
file(MAKE_DIRECTORY ${containerd_generated})
file(GLOB containerd_protos CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/schemas/containerd/*.proto)
foreach(proto ${containerd_protos})
  get_filename_component(name ${proto} NAME_WE)
  set(base ${containerd_generated}/schemas/containerd/${name})
  add_custom_command(
    OUTPUT ${base}.pb.cc ${base}.pb.h ${base}.grpc.pb.cc ${base}.grpc.pb.h
    COMMAND ${PROTOC} -I${PROJECT_SOURCE_DIR} --cpp_out=${containerd_generated} --grpc_out=${containerd_generated}
            --plugin=protoc-gen-grpc=${GRPC_PLUGIN} ${proto}
    DEPENDS ${containerd_protos} VERBATIM)
  list(APPEND containerd_api_sources ${base}.pb.cc ${base}.grpc.pb.cc)
endforeach()
add_library(containerd_api STATIC ${containerd_api_sources})
target_compile_options(containerd_api PRIVATE -w)
target_include_directories(containerd_api SYSTEM PUBLIC ${containerd_generated})
target_link_libraries(containerd_api PUBLIC ${grpcpp} ${grpc_core} ${gpr} ${protobuf} ${absl_synchronization} Threads::Threads)
