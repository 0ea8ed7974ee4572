// Claim: reading a complete image through plain FUSE costs a known factor over reading the same content
// files natively. Needs root and /dev/fuse. Prints one JSON line; ratios compare within one run.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>

#include "fuse_bridge/mounter.hpp"
#include "storage/database.hpp"
#include "storage/posix_file.hpp"
#include "test/harness/node/test_image.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

constexpr int small_files = 5'000;
constexpr std::size_t large_bytes = 256U << 20U;
constexpr std::size_t buffer_bytes = 128U << 10U;
constexpr int rounds = 3;

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void read_all(const std::string& path) {
  const auto file = open_at(AT_FDCWD, path, O_RDONLY);
  if (!file) throw std::runtime_error(to_string(file.error()));
  static std::vector<char> buffer(buffer_bytes);
  while (read(file->get(), buffer.data(), buffer.size()) > 0) {
  }
}

void read_all(const std::vector<std::string>& paths) {
  for (const auto& path : paths) read_all(path);
}

void forget_cache(const std::string& path) {
  const auto file = open_at(AT_FDCWD, path, O_RDONLY);
  if (file) posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The two kinds of input under their two names.
struct input {
  std::vector<std::string> native;
  std::vector<std::string> mounted;
};

/// Median times of reading the same bytes in turn; the FUSE side starts without cached pages when `cold`.
struct comparison {
  double native = 0;
  double cold = 0;
  double warm = 0;
};

comparison compare(const input& files) {
  std::vector<double> native, cold, warm;
  read_all(files.native);
  for (int round = 0; round < rounds; ++round) {
    for (const auto& path : files.mounted) forget_cache(path);
    native.push_back(seconds([&] { read_all(files.native); }));
    cold.push_back(seconds([&] { read_all(files.mounted); }));
    warm.push_back(seconds([&] { read_all(files.mounted); }));
  }
  return {median(native), median(cold), median(warm)};
}

void print(const char* name, const comparison& times) {
  std::printf("\"%s\":{\"native_s\":%.4f,\"fuse_cold_ratio\":%.2f,\"fuse_warm_ratio\":%.2f}", name,
              times.native, times.cold / times.native, times.warm / times.native);
}

void fill(content_store& store, const image_builder::built& image) {
  for (std::uint32_t i = 0; i < image.toc->content_count(); ++i)
    if (auto done = store.write(image.toc->content(i), 0, std::as_bytes(std::span(image.bytes[i]))); !done)
      throw std::runtime_error(to_string(done.error()));
}

instance mount(caf::actor_system& system, const mounter& by, const mount_request& request) {
  caf::scoped_actor self(system);
  instance made;
  self->request(by, caf::infinite, request)
      .receive(
          [&](const mounted& done) { made = done.handle; },
          [](const caf::error&) { throw std::runtime_error("cannot mount: root and /dev/fuse are needed"); });
  return made;
}

void write_natively(const std::string& path, const std::string& bytes) {
  const auto file = open_at(AT_FDCWD, path, O_WRONLY | O_CREAT);
  if (!file || !write_at(file->get(), std::as_bytes(std::span(bytes)), 0, path))
    throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main() {
  const temporary_folder folder;
  image_builder builder;
  std::filesystem::create_directories(folder.path() / "native");
  std::filesystem::create_directories(folder.path() / "root");
  input small, large;
  const auto add = [&](input& to, const std::string& name, const std::string& bytes) {
    builder.file(name, bytes);
    to.native.push_back(folder.path() / "native" / name);
    to.mounted.push_back(folder.path() / "root" / name);
    write_natively(to.native.back(), bytes);
  };
  for (int i = 0; i < small_files; ++i) add(small, "small" + std::to_string(i), patterned_bytes(4096, 1));
  add(large, "large", patterned_bytes(large_bytes, 2));
  const auto image = builder.build();
  const auto metadata = *database::open(folder.path() / "db");
  const auto store = *content_store::open(folder.path() / "store", *metadata, block_geometry{}, 512);
  fill(*store, image);
  caf::actor_system_config config;
  caf::actor_system system(config);
  const auto by = spawn_mounter(system, {store.get(), folder.path() / "mounts", {}});
  const auto handle = mount(system, by, {"bench", image.toc, {}, folder.path() / "root", {}});
  std::printf("{\"bench\":\"fuse_read\",");
  print("sequential_256MiB", compare(large));
  std::printf(",");
  print("open_read_close_5000x4KiB", compare(small));
  std::printf("}\n");
  caf::scoped_actor self(system);
  self->send_exit(handle, caf::exit_reason::user_shutdown);
  self->send_exit(by, caf::exit_reason::user_shutdown);
  self->wait_for(handle, by);
}
