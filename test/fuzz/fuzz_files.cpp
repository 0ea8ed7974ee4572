// Files that users hand over: bundles, and Docker's config with credentials.
#include <cstdlib>
#include <fstream>

#include "logins/docker_logins.hpp"
#include "model/base64.hpp"
#include "storage/bundle_file.hpp"
#include "test/fuzz/fuzz_entry.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

const std::filesystem::path& folder() {
  static const temporary_folder made;
  return made.path();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = folder() / "input";
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  if (auto bundle = bundle_reader::open(path)) {
    std::size_t parts = 0;
    for (auto part = bundle->next(); part; part = bundle->next()) {
      if (std::holds_alternative<bundle_end>(*part)) break;
      if (++parts > size) std::abort();  // no part takes less than a byte
    }
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // A config that names a helper would run it.
  if (text.find("cred") == std::string_view::npos)
    static_cast<void>(find_docker_login({.config_file = path}, "registry.example"));
  if (const auto plain = base64_decode(text))
    if (base64_decode(base64_encode(*plain)) != *plain) std::abort();
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const auto path = folder() / "seed";
  toc_frame tree;
  tree.origin.certificate_pem = "certificate";
  tree.bytes = 100;
  tree.frame = share(std::vector<std::byte>(60, std::byte{1}));
  auto contents = tree;
  contents.part = toc_part::contents;
  segment one;
  one.runs = {{0, 0, 1}};
  one.bytes = 100;
  one.frame = share(std::vector<std::byte>(50, std::byte{2}));
  std::string bundle;
  auto writer = bundle_writer::create(path, tree, contents);
  if (writer && writer->add(one) && writer->add(landmark::complete) && writer->finish()) {
    std::ifstream file(path, std::ios::binary);
    bundle.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::filesystem::remove(path);
  return {bundle, R"({"auths":{"registry.example":{"auth":"dXNlcjpzZWNyZXQ="}}})",
          R"({"auths":{"https://registry.example/v1/":{"identitytoken":"t"}},"HttpHeaders":{}})",
          "dXNlcjpzZWNyZXQ="};
}
