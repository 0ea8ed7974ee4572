#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "apps/daemon_client.hpp"
#include "apps/exit_code.hpp"
#include "apps/image_file.hpp"
#include "apps/interruption.hpp"
#include "apps/login_option.hpp"
#include "apps/runc_config.hpp"
#include "apps/runtime_process.hpp"
#include "apps/table.hpp"
#include "schemas/image_config_json.hpp"

namespace firstlight {
namespace {

struct run_arguments {
  daemon_options daemon;
  admin_mount_request mount;
  process_wishes wishes;
  std::string entrypoint;
  std::string authfile;
  std::vector<std::string> environment;  ///< as typed: NAME alone takes the value from here
  std::string runtime = "runc";
  network_kind network = network_kind::host;
  bool no_terminal = false;
  bool keep = false;
  bool remove = false;  ///< what happens anyway; accepted because other engines want it
  CLI::Option* entrypoint_option = nullptr;
};

std::vector<std::string> with_own_values(const std::vector<std::string>& typed) {
  std::vector<std::string> out;
  for (const auto& one : typed) {
    const char* own = one.find('=') == std::string::npos ? std::getenv(one.c_str()) : nullptr;
    if (own != nullptr) {
      out.push_back(one + "=" + own);
    } else if (one.find('=') != std::string::npos) {
      out.push_back(one);
    }
  }
  return out;
}

std::string run_name(const run_arguments& in) {
  return in.mount.name.empty() ? "run-" + std::to_string(getpid()) : in.mount.name;
}

/// A folder that goes with its object.
class bundle_folder {
 public:
  static result<std::unique_ptr<bundle_folder>> make() {
    std::error_code problem;
    const auto parent = std::filesystem::temp_directory_path(problem);
    if (problem) return fail(errc::io, "no folder for temporary files (TMPDIR): " + problem.message());
    auto path = (parent / "firstlight-run-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr)
      return fail(errc::io, "cannot make the folder " + path + ": " + std::strerror(errno));
    return std::unique_ptr<bundle_folder>(new bundle_folder(path));
  }
  ~bundle_folder() {
    std::error_code ignored;  // nothing depends on it, and the program's exit code is what counts
    std::filesystem::remove_all(path_, ignored);
  }
  bundle_folder(const bundle_folder&) = delete;
  bundle_folder& operator=(const bundle_folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] result<void> write_config(const std::string& text) const {
    std::ofstream out(path_ + "/config.json", std::ios::binary);
    out << text;
    out.close();
    if (!out) return fail(errc::io, "cannot write " + path_ + "/config.json");
    return {};
  }

 private:
  explicit bundle_folder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

result<process_spec> process_of(const run_arguments& in, const admin_mounted& mounted, bool terminal) {
  const auto image = parse_image_config(mounted.config_json);
  if (!image) return tl::unexpected(image.error());
  const auto passwd = read_image_file(mounted.mount.target, "/etc/passwd");
  if (!passwd) return tl::unexpected(passwd.error());
  const auto group = read_image_file(mounted.mount.target, "/etc/group");
  if (!group) return tl::unexpected(group.error());
  auto wishes = in.wishes;
  wishes.terminal = terminal;
  wishes.environment = with_own_values(in.environment);
  if (in.entrypoint_option->count() > 0) wishes.entrypoint = in.entrypoint;
  return decide_process(*image, wishes, {*passwd, *group});
}

result<int> run_mounted(const run_arguments& in, const admin_mounted& mounted, const sigset_t& blocked) {
  const bool terminal = !in.no_terminal && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  const auto process = process_of(in, mounted, terminal);
  if (!process) return tl::unexpected(process.error());
  const auto bundle = bundle_folder::make();
  if (!bundle) return tl::unexpected(bundle.error());
  const auto name = "firstlight-" + run_name(in);
  const auto config = runc_config(*process, {.root = mounted.mount.target,
                                             .read_only = in.mount.read_only,
                                             .terminal = terminal,
                                             .hostname = run_name(in),
                                             .network = in.network});
  if (!config) return tl::unexpected(config.error());
  if (const auto written = (*bundle)->write_config(*config); !written) return tl::unexpected(written.error());
  return run_attached({in.runtime, "run", "--bundle", (*bundle)->path(), name}, blocked);
}

/// What goes wrong must not be taken for an exit code of the program.
result<int> run_failed(const error& failure) {
  std::fprintf(stderr, "firstlight run: %s\n", printable(failure.detail).c_str());
  return static_cast<int>(exit_code::run_failed);
}

result<int> run(const run_arguments& in) {
  auto request = in.mount;
  request.name = run_name(in);
  auto login = own_login(in.authfile, request.reference);
  if (!login) return run_failed(login.error());
  request.login = std::move(*login);
  interruption signals;
  const auto mounted = ask_for<admin_mounted>(daemon_kind::node, in.daemon, request, signals.descriptor());
  const auto interrupted = signals.take();
  if (!mounted && !interrupted) return run_failed(mounted.error());
  if (mounted && in.daemon.output.json)  // standard output is the program's
    std::fprintf(stderr, "%s\n", to_json(admin_reply(*mounted)).c_str());
  const auto code =
      interrupted ? result<int>(128 + *interrupted) : run_mounted(in, *mounted, signals.before());
  if (interrupted || !in.keep) {
    auto quiet = in.daemon;
    quiet.output.quiet = true;
    const auto gone = ask_for<admin_done>(daemon_kind::node, quiet, admin_umount{request.name, true});
    // The daemon gives up a mount whose client has gone: it may have done so already.
    if (!gone && !(interrupted && gone.error().code == errc::not_found))
      std::fprintf(stderr, "firstlight run: the mount stays: %s\n", printable(gone.error().detail).c_str());
  }
  return code ? code : run_failed(code.error());
}

void add_options(CLI::App& command, run_arguments& in) {
  command.add_option("image", in.mount.reference, "the image's reference")
      ->required()
      ->type_name("REFERENCE");
  command
      .add_option("arguments", in.wishes.arguments, "program and arguments instead of the image's command")
      ->type_name("ARGUMENT");
  command.add_option("--name", in.mount.name, "name of container and mount (default: run- and a number)")
      ->type_name("NAME");
  command.add_option("--platform", in.mount.platform, "os/architecture[/variant] (default: the node's)")
      ->type_name("PLATFORM");
  command.add_option("-e,--env", in.environment, "set a variable; NAME alone takes the value from here")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false);
  command.add_option("-u,--user", in.wishes.user, "user[:group], names or numbers (default: the image's)")
      ->type_name("USER");
  command.add_option("-w,--workdir", in.wishes.working_directory, "working directory (default: the image's)")
      ->type_name("DIR");
  in.entrypoint_option =
      command
          .add_option("--entrypoint", in.entrypoint, "program instead of the image's entrypoint; '' for none")
          ->type_name("PROGRAM");
  const std::map<std::string, network_kind> networks{{"host", network_kind::host},
                                                     {"none", network_kind::none}};
  command.add_option("--network", in.network, "host (default) or none")
      ->type_name("KIND")
      ->transform(CLI::Transformer(networks));
  command.add_option("--runtime", in.runtime, "OCI runtime to start (default: runc)")->type_name("PROGRAM");
  if (!in.mount.record) add_mode_option(command, in.mount.mode);
  command.add_option("--optimize-group", in.mount.group, "label of instances that are started together")
      ->type_name("NAME");
  command.add_flag("-r,--read-only", in.mount.read_only, "the image cannot be written to");
  add_login_option(command, in.authfile);
  command.add_flag("--no-tty", in.no_terminal, "no terminal, even when called from one");
  command.add_flag("--keep", in.keep, "leave the mount when the program has ended");
  command.add_flag("--rm", in.remove, "unmount and clean up at the end, as is the default")
      ->excludes(command.get_option("--keep"));
  add_daemon_options(command, in.daemon, daemon_kind::node);
}

}  // namespace

void add_run_command(command_tree& tree) {
  auto in = std::make_shared<run_arguments>();
  auto* command =
      tree.add(tree.root(),
               {.name = "run",
                .summary = "Run a program of an image while the image arrives.",
                .examples = "firstlight run redis:7\nfirstlight run redis:7 redis-cli "
                            "ping\nfirstlight run -e DEBUG=1 -u nobody team/app:2 "
                            "/bin/sh -c 'id; env'",
                .details = "Starts the image's entrypoint through runc, with its environment, "
                           "user and working directory, in the host's "
                           "network. Signals are passed on, and so is the program's exit code; "
                           "125 means that firstlight itself failed. "
                           "What the program writes is gone at its end. With --json the mount's line, as "
                           "'firstlight mount' prints it, goes to standard error before the program "
                           "starts: standard output is the program's."},
               [in] { return run(*in); });
  add_options(*command, *in);
  tree.end_options_at_first_word(*command);
}

void add_record_command(command_tree& tree, CLI::App& group) {
  auto in = std::make_shared<run_arguments>();
  in->mount.record = true;
  auto* command = tree.add(
      group,
      {.name = "record",
       .summary = "Run a program of an image to record every block that it reads.",
       .examples = "firstlight trace record redis:7\nfirstlight trace record team/app:2 -- /bin/app --check",
       .details =
           "As 'firstlight run', but all reads pass the node, so it is slower. The trace is sent when the "
           "program has ended or its start has settled."},
      [in] { return run(*in); });
  add_options(*command, *in);
}

}  // namespace firstlight
