# Every library here is a Debian 12 package; packaging/install-dependencies names the packages.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(CapnProto REQUIRED)  # its compiler and headers; what is linked: below
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(caf REQUIRED)
find_library(prometheus_core prometheus-cpp-core REQUIRED)
add_library(Prometheus INTERFACE IMPORTED GLOBAL)
target_link_libraries(Prometheus INTERFACE ${prometheus_core})

function(packaged name module)  # an imported target from a pkg-config module, as system headers
  pkg_check_modules(PC_${name} REQUIRED ${module})
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${name} SYSTEM INTERFACE ${PC_${name}_INCLUDE_DIRS})
  target_link_libraries(${name} INTERFACE ${PC_${name}_LINK_LIBRARIES})
endfunction()
packaged(FUSE3 fuse3)
packaged(ZSTD libzstd)
packaged(EDIT libedit)
packaged(RE2 re2)

# Linked as archives: firstlight is a static program, and firstlightd starts sooner without their many relocations.
function(archive name file)  # archive(NAME FILE what it needs...)
  find_library(ARCHIVE_${name} lib${file}.a REQUIRED)
  add_library(${name} STATIC IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${ARCHIVE_${name}})
  target_link_libraries(${name} INTERFACE ${ARGN})
endfunction()
archive(Snappy snappy)
archive(Lz4 lz4)
archive(Bzip2 bz2)
archive(RocksDB rocksdb Snappy Lz4 Bzip2 ZSTD ZLIB::ZLIB gflags ${CMAKE_DL_LIBS})
archive(YamlCpp yaml-cpp)
archive(Kj kj)
archive(Capnp capnp Kj)
archive(KjAsync kj-async Kj Threads::Threads)
archive(KjTls kj-tls KjAsync OpenSSL::SSL)
archive(KjHttp kj-http KjAsync ZLIB::ZLIB)
archive(CapnpRpc capnp-rpc Capnp KjAsync)

function(header_only name header)  # an imported target for headers in the default include path
  find_path(${name}_HEADER ${header} REQUIRED)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
endfunction()
header_only(tl_expected tl/expected.hpp)
header_only(nlohmann_json nlohmann/json.hpp)
header_only(LibcurlHeaders curl/curl.h)  # the library is loaded when it is needed: storage/oci/libcurl.hpp
header_only(SystemdHeaders systemd/sd-daemon.h)  # likewise: apps/daemon_service.cpp
header_only(CLI11 CLI/CLI.hpp)
header_only(toml11 toml.hpp)

find_package(rapidcheck REQUIRED)
find_package(spdlog REQUIRED)
add_library(spdlog INTERFACE IMPORTED GLOBAL)
target_link_libraries(spdlog INTERFACE spdlog::spdlog)
