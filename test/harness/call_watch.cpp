#include "test/harness/call_watch.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

namespace firstlight::test {
namespace {

/// Of this thread, and of those that it starts. @returns the listener, or -1
int listen_to_own(const std::vector<long>& numbers) {
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const auto number : numbers) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(number), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
  return static_cast<int>(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &whole));
}

class judged_calls {
 public:
  explicit judged_calls(call_judge judge) : judge_(std::move(judge)) {}

  /// Until nobody is watched any more.
  void serve(int listener) {
    for (;;) {
      pollfd source{listener, POLLIN, 0};
      if (poll(&source, 1, -1) < 0) continue;  // a signal
      if ((source.revents & POLLIN) == 0) break;
      seccomp_notif call{};
      if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) continue;  // a signal has broken it off
      seccomp_notif_resp answer{};
      answer.id = call.id;
      if (const int refused = judge(call); refused != 0)
        answer.error = -refused;
      else
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
      ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);  // fails only for one that has been broken off
    }
    close(listener);
  }
  void end() {
    const std::lock_guard lock(mutex_);
    judge_ = nullptr;
  }

 private:
  int judge(const seccomp_notif& call) {
    const std::lock_guard lock(mutex_);
    if (!judge_) return 0;
    watched_call shown{static_cast<pid_t>(call.pid), call.data.nr};
    std::copy(std::begin(call.data.args), std::end(call.data.args), shown.arguments.begin());
    return judge_(shown);
  }

  std::mutex mutex_;
  call_judge judge_;
};

}  // namespace

std::string watched_call::file(std::size_t argument) const {
  std::error_code none;
  return std::filesystem::read_symlink(
             "/proc/" + std::to_string(thread) + "/fd/" + std::to_string(arguments.at(argument)), none)
      .string();
}

bool watch_calls(const std::vector<long>& numbers, call_judge judge, const std::function<void()>& work) {
  const auto judged = std::make_shared<judged_calls>(std::move(judge));
  std::promise<int> listening;
  auto listener = listening.get_future();
  auto done = std::async(std::launch::async, [&] {
    const int made = listen_to_own(numbers);
    listening.set_value(made);
    if (made >= 0) work();
  });
  const int descriptor = listener.get();
  const bool watched = descriptor >= 0;
  // Threads that libraries keep for the whole process may come from `work`, so somebody stays to answer them.
  if (watched) std::thread([judged, descriptor] { judged->serve(descriptor); }).detach();
  done.wait();
  judged->end();
  done.get();
  return watched;
}

}  // namespace firstlight::test
