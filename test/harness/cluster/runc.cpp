#include "test/harness/cluster/runc.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "test/harness/skipped.hpp"

namespace firstlight {
namespace {

constexpr std::chrono::minutes run_limit{2};

/// A bundle of busybox, whose shell ends at once.
void make_bundle(const std::filesystem::path& bundle) {
  const auto root = bundle / "rootfs";
  for (const auto* folder : {"bin", "lib", "lib64", "proc", "dev", "sys"})
    std::filesystem::create_directories(root / folder);
  std::filesystem::copy_file("/usr/bin/busybox", root / "bin/busybox");
  for (const std::string library : {"libresolv.so.2", "libc.so.6"})
    std::filesystem::copy_file("/lib/x86_64-linux-gnu/" + library, root / "lib" / library);
  std::filesystem::copy_file("/lib64/ld-linux-x86-64.so.2", root / "lib64/ld-linux-x86-64.so.2");
}

/// What runc says of a plain folder; empty: it can run it.
std::string complaint_about_folder(cluster& all) {
  const auto bundle = all.folder() / "plain bundle";
  make_bundle(bundle);
  auto spec = all.run({"runc", "spec", "--bundle", bundle.string()});
  if (spec->wait(run_limit) != program_end{0, 0}) return "no 'runc spec': " + spec->errors();
  auto config = nlohmann::json::parse(std::ifstream(bundle / "config.json"));
  config["process"]["terminal"] = false;
  config["process"]["args"] = {"/bin/busybox", "true"};
  std::ofstream(bundle / "config.json") << config;
  const auto id = "firstlight-probe-" + std::to_string(getpid());
  auto plain =
      all.run({"runc", "--root", (all.folder() / "runc").string(), "run", "--bundle", bundle.string(), id});
  return plain->wait(run_limit) == program_end{0, 0} ? "" : "runc cannot run here: " + plain->errors();
}

}  // namespace

bool runc_is_hindered(cluster& all, const running_program& program) {
  const auto errors = program.errors();
  const bool suspicious = errors.find("cgroup") != std::string::npos ||
                          errors.find("error preparing rootfs: mount /, flags") != std::string::npos;
  if (!suspicious) return false;
  static const auto complaint = complaint_about_folder(all);
  if (!complaint.empty()) test::note_skipped(complaint);
  return !complaint.empty();
}

}  // namespace firstlight
