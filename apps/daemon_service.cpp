#include "apps/daemon_service.hpp"

#include <dlfcn.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>

namespace firstlight {
namespace {

void log_to_stderr(const std::string& name, const std::string& level) {
  auto logger = spdlog::stderr_logger_mt(name);
  // Below systemd the journal has time and name already.
  logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%l: %v" : "%Y-%m-%d %H:%M:%S.%e %n %l: %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  spdlog::set_level(spdlog::level::from_str(level));
}

sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

/// Tells the service manager, if there is one. Its library is loaded only then: without one it may be
/// missing. See sd_notify(3).
void notify(const char* state) {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
  void* library = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  const auto tell =
      library == nullptr ? nullptr : reinterpret_cast<decltype(&::sd_notify)>(::dlsym(library, "sd_notify"));
  if (tell == nullptr || tell(0, state) < 0)
    spdlog::error("the service manager cannot be told {}: install the package libsystemd0", state);
}

}  // namespace

result<int> serve(const std::string& name, const std::string& log_level,
                  const std::function<result<std::unique_ptr<running_daemon>>()>& start) {
  const auto signals = block_stop_signals();
  log_to_stderr(name, log_level);
  auto daemon = start();
  if (!daemon) return tl::unexpected(daemon.error());
  notify("READY=1");
  spdlog::info("ready");
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("stops at {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  notify("STOPPING=1");
  const auto began = std::chrono::steady_clock::now();
  daemon->reset();
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  spdlog::info("stopped in {} ms", took.count());
  return 0;
}

}  // namespace firstlight
