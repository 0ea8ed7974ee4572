// Claim: between the arrival of the tree of a table of contents and mount(2), the node computes for less than
// 10 ms for an image of 10,000 files. The first pass is shown by itself: a node mounts with cold caches.
//   bench_mount_path [FOLDER=/usr] [REPEATS=15]

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "storage/erofs/erofs_image.hpp"
#include "storage/pki/certificate_authority.hpp"
#include "storage/pki/statement_signature.hpp"
#include "storage/sha256.hpp"
#include "storage/toc_packing.hpp"
#include "test/harness/folder_tree.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

using clock_type = std::chrono::steady_clock;

/// One step's times in milliseconds, in order.
struct step {
  const char* name;
  std::vector<double> times;

  template <class Work>
  auto run(Work work) {
    const auto start = clock_type::now();
    auto done = work();
    times.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - start).count());
    return done;
  }
  [[nodiscard]] double median() const {
    auto sorted = times;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/usr";
  const auto repeats = argc > 2 ? std::max(1, std::atoi(argv[2])) : 15;
  const auto tree = tree_of_folder(folder);
  auto made = make_toc({}, tree).value();
  const auto whole = toc_view::open(share(std::move(made.tree))).value();
  const auto frame = pack_toc(*whole, toc_part::tree, nullptr, 19).value();

  const temporary_folder keys;
  if (!init_ca(keys.path())) return 1;
  const auto hub = issue_certificate(keys.path(), pki_role::hub, "bench").value();
  const auto signer = signing_identity::load(hub.certificate, hub.key).value();
  const auto anchor = trust_anchor::load(keys.path() / "ca.crt").value();
  toc_statement said;
  said.toc = made.id;
  const auto origin = sign_toc(signer, said).value();

  step verify{"verify the signature", {}};
  step unpack{"unpack", {}};
  step hash{"hash", {}};
  step open{"validate", {}};
  step plan{"plan EROFS", {}};
  step write{"write EROFS", {}};
  for (int i = 0; i < repeats; ++i) {
    if (!verify.run([&] { return verify_toc(anchor, origin, std::chrono::system_clock::now()); })) return 1;
    const auto bytes = unpack.run([&] { return unpack_toc(frame, nullptr); }).value();
    if (hash.run([&] { return sha256(bytes.bytes); }) != made.id.value) return 1;
    const auto toc = open.run([&] { return toc_view::open(bytes); }).value();
    const auto image = plan.run([&] { return erofs_image::plan(toc, made.id); }).value();
    const auto path = keys.path() / "image";
    const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) return 1;
    const auto written = write.run([&] { return image.write(file, erofs_image::unknown_ids::early); });
    ::close(file);
    if (!written) return 1;
  }
  std::printf("%s: %u inodes, %zu bytes packed, %llu unpacked\n", folder.c_str(), whole->inode_count(),
              frame.frame.bytes.size(), static_cast<unsigned long long>(frame.bytes));
  double first = 0;
  double sum = 0;
  for (const auto* each : {&verify, &unpack, &hash, &open, &plan, &write}) {
    std::printf("  %-22s first %7.3f ms, median %7.3f ms\n", each->name, each->times.front(), each->median());
    first += each->times.front();
    sum += each->median();
  }
  std::printf("{\"inodes\":%u,\"first_ms\":%.3f,\"median_ms\":%.3f}\n", whole->inode_count(), first, sum);
  return 0;
}
