// Claim: a mounted image is as fast as the same files on a native overlayfs over ext4. bench/fs.sh makes the
// mounts.
//   bench_fs [--rounds N] NAME=ROOT[,PID]... ; the first one is what the others are compared with.
// Below each ROOT: bench/{small/0..,large,true}, the folders of a Debian system with python3, and room to
// write. PID is of the daemon behind a mount: its CPU time is shown beside. The last line is JSON.

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;  // NOLINT: POSIX has no header for it

namespace {

struct system_under_test {
  std::string name;
  std::string root;
  int daemon = 0;
};

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "bench_fs: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

class opened {
 public:
  opened(const std::string& path, int flags) : number_(open(path.c_str(), flags | O_CLOEXEC)) {
    if (number_ < 0) give_up(path);
  }
  ~opened() { close(number_); }
  opened(const opened&) = delete;
  opened& operator=(const opened&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

volatile std::uint64_t sink = 0;

// ---- what is measured ----------------------------------------------------------------------------

void drop_caches() {
  sync();
  std::ofstream("/proc/sys/vm/drop_caches") << "3";
}

std::string large(const std::string& root) {
  return root + "/bench/large";
}

void read_all(const std::string& root) {
  const opened file(large(root), O_RDONLY);
  static std::vector<char> buffer(1U << 17U);
  for (ssize_t got = 1; got > 0;) {
    got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0) give_up(large(root));
  }
}

void read_at_random(const std::string& root, std::uint32_t times) {
  const opened file(large(root), O_RDONLY);
  struct stat st {};
  fstat(file.get(), &st);
  std::mt19937_64 random(7);
  std::vector<char> buffer(4096);
  for (std::uint32_t i = 0; i < times; ++i) {
    const auto page = random() % static_cast<std::uint64_t>(st.st_size / 4096);
    if (pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(page * 4096)) <= 0)
      give_up("pread");
  }
}

void map_all(const std::string& root) {
  const opened file(large(root), O_RDONLY);
  struct stat st {};
  fstat(file.get(), &st);
  const auto bytes = static_cast<std::size_t>(st.st_size);
  auto* map = static_cast<const char*>(mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.get(), 0));
  if (map == MAP_FAILED) give_up("mmap");
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < bytes; at += 4096) sum += static_cast<unsigned char>(map[at]);
  sink = sum;
  munmap(const_cast<char*>(map), bytes);
}

constexpr std::uint32_t small_files = 20'000;

std::string small(const std::string& root, std::uint32_t number) {
  return root + "/bench/small/" + std::to_string(number / 200) + "/" + std::to_string(number);
}

void open_storm(const std::string& root) {
  char buffer[4096];
  for (std::uint32_t i = 0; i < small_files; ++i) {
    const opened file(small(root, i), O_RDONLY);
    if (read(file.get(), buffer, sizeof buffer) < 0) give_up("read");
  }
}

void stat_storm(const std::string& root) {
  struct stat st {};
  for (std::uint32_t i = 0; i < small_files; ++i)
    if (lstat(small(root, i).c_str(), &st) != 0) give_up("lstat");
}

int visit(const char*, const struct stat* st, int, FTW*) {
  sink = sink + static_cast<std::uint64_t>(st->st_size);
  return 0;
}
void find_all(const std::string& root) {
  if (nftw(root.c_str(), visit, 64, FTW_PHYS | FTW_MOUNT) != 0) give_up("walk " + root);
}

void run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (const int problem = posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ);
      problem != 0) {
    errno = problem;
    give_up(words[0]);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    errno = 0;
    give_up("'" + words[0] + " " + words.back() + "' failed");
  }
}

void exec_storm(const std::string& root) {
  for (int i = 0; i < 200; ++i) run({root + "/bench/true"});
}

void import_python(const std::string& root) {
  run({"chroot", root, "python3", "-B", "-c",
       "import asyncio, email.mime.text, http.client, xml.dom.minidom, unittest, multiprocessing, json, "
       "sqlite3, ssl, tarfile, logging.config, concurrent.futures, ctypes, decimal, difflib, pydoc"});
}

void checkout(const std::string& root, const std::string& revision) {
  run({"git", "-c", "safe.directory=*", "-C", root + "/bench/repository", "checkout", "-q", revision});
}

struct workload {
  std::string name;
  bool cold = false;
  std::function<void(const std::string&)> work;
};

std::vector<workload> workloads() {
  return {{"sequential read", false, read_all},
          {"sequential read, cold", true, read_all},
          {"random read", false, [](const std::string& root) { read_at_random(root, 200'000); }},
          {"random read, cold", true, [](const std::string& root) { read_at_random(root, 4'000); }},
          {"mmap", false, map_all},
          {"open, read, close", false, open_storm},
          {"open, read, close, cold", true, open_storm},
          {"stat", false, stat_storm},
          {"find", false, find_all},
          {"find, cold", true, find_all},
          {"exec", false, exec_storm},
          {"python3 import", false, import_python},
          {"python3 import, cold", true, import_python},
          {"git checkout", false, [](const std::string& root) {
             checkout(root, "first");
             checkout(root, "second");
           }}};
}

// ---- measuring -----------------------------------------------------------------------------------

double cpu_seconds(int process) {
  if (process == 0) return 0;
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct figures {
  std::vector<double> seconds;
  double daemon_cpu = 0;
};

/// The median of what each round says, so that a disk that becomes slower meanwhile harms no one.
double ratio(const figures& of, const figures& to) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < of.seconds.size(); ++round)
    ratios.push_back(of.seconds[round] / to.seconds[round]);
  return median(ratios);
}

std::vector<figures> measure(const workload& what, const std::vector<system_under_test>& systems,
                             int rounds) {
  std::vector<figures> all(systems.size());
  if (!what.cold) {
    // Equally warm: how a file came into the page cache (in large folios or small) outlives many reads.
    drop_caches();
    for (const auto& system : systems) read_all(system.root);
    for (const auto& system : systems) what.work(system.root);
  } else {
    // Equally cold: a disk, or the host below a virtual one, may have kept what one of them has read before.
    for (const auto& system : systems) {
      drop_caches();
      what.work(system.root);
    }
  }
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < systems.size(); ++i) {
      // Each is first as often as any other.
      const auto at = (i + static_cast<std::size_t>(round)) % systems.size();
      if (what.cold) drop_caches();
      const auto cpu = cpu_seconds(systems[at].daemon);
      const auto start = std::chrono::steady_clock::now();
      what.work(systems[at].root);
      all[at].seconds.push_back(
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      all[at].daemon_cpu += (cpu_seconds(systems[at].daemon) - cpu) / rounds;
    }
  }
  return all;
}

system_under_test parse(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) {
    std::fprintf(stderr, "bench_fs: '%s' is not written as NAME=ROOT[,PID]\n", text.c_str());
    std::exit(2);
  }
  const auto comma = text.find(',', equals);
  return {text.substr(0, equals), text.substr(equals + 1, comma - equals - 1),
          comma == std::string::npos ? 0 : std::atoi(text.c_str() + comma + 1)};
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 5;
  std::vector<system_under_test> systems;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
      rounds = std::max(1, std::atoi(argv[++i]));
    else
      systems.push_back(parse(argv[i]));
  }
  if (systems.size() < 2) {
    std::fprintf(stderr, "usage: bench_fs [--rounds N] NATIVE=ROOT NAME=ROOT[,PID]...\n");
    return 2;
  }
  std::printf("%-26s %12s", "", systems[0].name.c_str());
  for (std::size_t i = 1; i < systems.size(); ++i) std::printf(" %12s %8s", systems[i].name.c_str(), "cpu");
  std::printf("\n");
  std::string json = "{";
  for (const auto& what : workloads()) {
    const auto all = measure(what, systems, rounds);
    const auto native = median(all[0].seconds);
    std::printf("%-26s %9.1f ms", what.name.c_str(), native * 1000);
    json +=
        (json.size() > 1 ? ",\"" : "\"") + what.name + "\":{\"native_ms\":" + std::to_string(native * 1000);
    for (std::size_t i = 1; i < systems.size(); ++i) {
      const auto beside = ratio(all[i], all[0]);
      std::printf(" %12.2f %6.0f ms", beside, all[i].daemon_cpu * 1000);
      json += ",\"" + systems[i].name + "\":{\"ratio\":" + std::to_string(beside) +
              ",\"daemon_cpu_s\":" + std::to_string(all[i].daemon_cpu) + "}";
    }
    std::printf("\n");
    std::fflush(stdout);
    json += "}";
  }
  std::printf("%s}\n", json.c_str());
  return 0;
}
