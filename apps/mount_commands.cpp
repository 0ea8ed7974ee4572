#include <unistd.h>

#include "apps/daemon_client.hpp"
#include "apps/local_path.hpp"
#include "apps/login_option.hpp"
#include "apps/table.hpp"
#include "config/settings.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

std::string delivery_line(const admin_delivery& delivery) {
  if (delivery.id == 0) return "nothing had to be sent";
  const auto rate = delivery.rate_bytes_per_second;
  return rounded_bytes(delivery.bytes_received) + " received in " +
         rounded_duration(std::chrono::milliseconds(delivery.elapsed_ms)) +
         (rate > 0 ? ", " + rounded_bytes(rate) + "/s" : "") +
         (delivery.last_known ? "; the registry is away, the tag's last known meaning was used" : "");
}

void print_readiness(const admin_node_image& image) {
  std::printf("%s: %s of %s there\n", printable(image.reference).c_str(),
              percent(image.bytes_ready, image.bytes_total).c_str(),
              rounded_bytes(image.bytes_total).c_str());
}

void print_list(const admin_listing& list) {
  if (list.images.empty()) {
    std::puts("This node holds no images; get one with 'firstlight pull', 'mount' or 'run'.");
  } else {
    table rows({"IMAGE", "PLATFORM", "MANIFEST", "THERE", "SIZE", "MOUNTS", "USED"});
    for (const auto& image : list.images) {
      rows.add({image.reference, image.platform, short_digest(image.manifest),
                percent(image.bytes_ready, image.bytes_total), rounded_bytes(image.bytes_total),
                std::to_string(image.mounts), ago(image.last_used_at, unix_now())});
    }
    std::fputs(rows.text().c_str(), stdout);
  }
  if (list.mounts.empty()) return;
  std::puts("");
  table rows({"MOUNT", "IMAGE", "TARGET", "THERE", "WAITS"});
  for (const auto& mount : list.mounts) {
    rows.add({mount.name, mount.reference, mount.target, percent(mount.bytes_ready, mount.bytes_total),
              mount.failure.empty() ? std::to_string(mount.waits) : "failed"});
  }
  std::fputs(rows.text().c_str(), stdout);
  for (const auto& mount : list.mounts)
    if (!mount.failure.empty())
      std::printf("%s has failed: %s\n", printable(mount.name).c_str(), printable(mount.failure).c_str());
}

struct pull_arguments {
  daemon_options daemon;
  admin_pull request;
  std::vector<std::string> references;
  std::string authfile;
  bool mountable = false;
  bool for_containerd = false;
  std::string space = "default";
};

result<admin_pull> asked(const pull_arguments& in, const std::string& reference, pull_until until) {
  auto request = in.request;
  request.reference = reference;
  request.until = until;
  request.for_containerd = in.for_containerd;
  auto login = own_login(in.authfile, reference);
  if (!login) return tl::unexpected(login.error());
  request.login = std::move(*login);
  return request;
}

/// They come as one bundle if all are asked for before the first is waited for.
result<void> start_all(const pull_arguments& in) {
  for (const auto& reference : in.references) {
    const auto request = asked(in, reference, pull_until::started);
    if (!request) return tl::unexpected(request.error());
    if (auto started = ask_for<admin_done>(daemon_kind::node, in.daemon, *request); !started)
      return tl::unexpected(started.error());
  }
  return {};
}

result<int> pull(const pull_arguments& in) {
  const bool early = in.mountable || in.for_containerd;
  const auto until = early ? pull_until::mountable : pull_until::complete;
  if (in.references.size() > 1)
    if (auto started = start_all(in); !started) return tl::unexpected(started.error());
  for (const auto& reference : in.references) {
    auto request = asked(in, reference, until);
    if (!request) return tl::unexpected(request.error());
    if (in.for_containerd) request->containerd_namespace = in.space;
    const auto shown = show(ask_for<admin_pulled>(daemon_kind::node, in.daemon, *request), in.daemon.output,
                            [](const admin_pulled& pulled) {
                              print_readiness(pulled.image);
                              std::printf("  %s\n", delivery_line(pulled.delivery).c_str());
                            });
    if (!shown) return shown;
  }
  return 0;
}

}  // namespace

void add_pull_command(command_tree& tree) {
  auto in = std::make_shared<pull_arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "pull",
       .summary = "Bring images to this node.",
       .examples = "firstlight pull redis:7\nfirstlight pull team/app:2 team/sidecar:1\nfirstlight pull "
                   "--mountable team/app:2\nfirstlight pull --containerd --namespace k8s.io team/app:2",
       .details =
           "A pull is not needed before mount or run: they start at once and bring what is missing. Several "
           "images come as one bundle: what they share comes once, and what their programs are known to read "
           "first comes first, whichever image it belongs to; with --json each has a line of its own."},
      [in] { return pull(*in); });
  command->add_option("image", in->references, "the images' references")->required()->type_name("REFERENCE");
  command->add_option("--platform", in->request.platform, "os/architecture[/variant] (default: the node's)")
      ->type_name("PLATFORM");
  command->add_flag("--mountable", in->mountable,
                    "return as soon as the image can be mounted; contents follow");
  command->add_flag("--containerd", in->for_containerd,
                    "tell containerd of the image and return as soon as it can run it; contents follow");
  command
      ->add_option("--namespace", in->space, "containerd's namespace (default: default; k8s.io: Kubernetes)")
      ->type_name("NAME");
  add_login_option(*command, in->authfile);
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

void add_mount_command(command_tree& tree) {
  struct arguments {
    daemon_options daemon;
    admin_mount_request request;
    std::string authfile;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "mount",
       .summary = "Mount an image while it arrives.",
       .examples = "firstlight mount redis:7 /mnt/redis\nfirstlight mount --read-only redis:7 /mnt/redis "
                   "--name cache",
       .details = "Returns as soon as the tree is there; a program that reads what has not arrived waits for "
                  "just that. "
                  "Without TARGET a folder below the node's run folder is made and printed."},
      [in]() -> result<int> {
        auto request = in->request;
        if (!request.target.empty()) {
          const auto target = absolute_path(request.target);
          if (!target) return tl::unexpected(target.error());
          request.target = *target;
        }
        auto login = own_login(in->authfile, request.reference);
        if (!login) return tl::unexpected(login.error());
        request.login = std::move(*login);
        return show(ask_for<admin_mounted>(daemon_kind::node, in->daemon, request), in->daemon.output,
                    [](const admin_mounted& done) {
                      const auto& target = done.mount.target;
                      const bool watched = isatty(STDOUT_FILENO) == 1;
                      std::printf("%s\n", watched ? printable(target).c_str() : target.c_str());
                      if (!watched) return;
                      std::printf("  mounted in %s as '%s'; %s of the contents are there\n",
                                  rounded_duration(std::chrono::milliseconds(done.elapsed_ms)).c_str(),
                                  done.mount.name.c_str(),
                                  percent(done.mount.bytes_ready, done.mount.bytes_total).c_str());
                    });
      });
  command->add_option("image", in->request.reference, "the image's reference")
      ->required()
      ->type_name("REFERENCE");
  command->add_option("target", in->request.target, "where to mount; made when missing")->type_name("TARGET");
  command->add_option("--name", in->request.name, "name of the mount (default: made from the reference)")
      ->type_name("NAME");
  command->add_option("--platform", in->request.platform, "os/architecture[/variant] (default: the node's)")
      ->type_name("PLATFORM");
  add_mode_option(*command, in->request.mode);
  command->add_option("--optimize-group", in->request.group, "label of instances that are started together")
      ->type_name("NAME");
  command->add_flag("-r,--read-only", in->request.read_only, "without a writable layer");
  add_login_option(*command, in->authfile);
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

void add_umount_command(command_tree& tree) {
  struct arguments {
    daemon_options daemon;
    admin_umount request;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "umount",
       .summary = "Unmount an image; what was written stays for a mount of the same --name, else it is gone.",
       .examples = "firstlight umount /mnt/redis\nfirstlight umount cache --lazy"},
      [in]() -> result<int> {
        auto request = in->request;
        if (request.mount.find('/') != std::string::npos) {
          const auto target = absolute_path(request.mount);
          if (!target) return tl::unexpected(target.error());
          request.mount = *target;
        }
        return show(
            ask_for<admin_done>(daemon_kind::node, in->daemon, request), in->daemon.output,
            [&](const admin_done&) { std::printf("unmounted %s\n", printable(request.mount).c_str()); });
      });
  command->add_option("mount", in->request.mount, "its name or where it is mounted")
      ->required()
      ->type_name("MOUNT");
  command->add_flag("-l,--lazy", in->request.lazy,
                    "also when in use: gone from the tree now, torn down with its last user");
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

void add_wait_command(command_tree& tree) {
  struct arguments {
    daemon_options daemon;
    admin_wait request;
    std::string timeout = "0";
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(tree.root(),
                           {.name = "wait",
                            .summary = "Wait until all contents of an image or mount are on this node.",
                            .examples = "firstlight wait redis:7\nfirstlight wait /mnt/redis --timeout 5m"},
                           [in]() -> result<int> {
                             auto request = in->request;
                             const auto timeout = parse_duration(in->timeout);
                             if (!timeout) return fail(timeout.error(), "--timeout");
                             request.timeout_ms = static_cast<std::uint64_t>(timeout->count());
                             return show(ask_for<admin_waited>(daemon_kind::node, in->daemon, request),
                                         in->daemon.output, [](const admin_waited& waited) {
                                           print_readiness(waited.image);
                                           std::printf("  %s\n", delivery_line(waited.delivery).c_str());
                                         });
                           });
  command->add_option("what", in->request.what, "an image's reference, a mount's name or its target")
      ->required()
      ->type_name("WHAT");
  command->add_option("--platform", in->request.platform, "of an image (default: the node's)")
      ->type_name("PLATFORM");
  command->add_option("--timeout", in->timeout, "give up after this, as in 30s or 5m (default: never)")
      ->type_name("TIME");
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

void add_ls_command(command_tree& tree) {
  auto daemon = std::make_shared<daemon_options>();
  auto* command =
      tree.add(tree.root(),
               {.name = "ls",
                .summary = "List the images and mounts of this node.",
                .examples = "firstlight ls\nfirstlight ls --json | jq '.mounts[] | {name, complete}'"},
               [daemon] {
                 return show(ask_for<admin_listing>(daemon_kind::node, *daemon, admin_list_request{}),
                             daemon->output, print_list);
               });
  add_daemon_options(*command, *daemon, daemon_kind::node);
}

}  // namespace firstlight
