# Every library here is a Debian 12 package; packaging/install-dependencies names the packages.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(CapnProto REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(ZLIB REQUIRED)
find_package(caf REQUIRED)

function(packaged name module)  # an imported target from a pkg-config module, as system headers
  pkg_check_modules(PC_${name} REQUIRED ${module})
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${name} SYSTEM INTERFACE ${PC_${name}_INCLUDE_DIRS})
  target_link_libraries(${name} INTERFACE ${PC_${name}_LINK_LIBRARIES})
endfunction()
packaged(FUSE3 fuse3)
packaged(ZSTD libzstd)
packaged(SYSTEMD libsystemd)
packaged(RocksDB rocksdb)

function(header_only name header)  # an imported target for headers in the default include path
  find_path(${name}_HEADER ${header} REQUIRED)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
endfunction()
header_only(tl_expected tl/expected.hpp)
header_only(nlohmann_json nlohmann/json.hpp)
header_only(CLI11 CLI/CLI.hpp)

find_package(rapidcheck REQUIRED)
find_package(spdlog REQUIRED)
add_library(spdlog INTERFACE IMPORTED GLOBAL)
target_link_libraries(spdlog INTERFACE spdlog::spdlog)
