#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "storage/pki/certificate_authority.hpp"
#include "storage/pki/statement_signature.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

const auto now = std::chrono::system_clock::now();

std::string slurp(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

unsigned mode_of(const std::filesystem::path& file) {
  struct stat found {};
  REQUIRE(stat(file.c_str(), &found) == 0);
  return found.st_mode & 0777U;
}

/// A cluster with one certificate of the given role.
struct cluster {
  temporary_folder folder;
  issued_certificate files;

  explicit cluster(pki_role role = pki_role::hub, const pki_options& options = {}) {
    REQUIRE(init_ca(folder.path(), options));
    files = issue_certificate(folder.path(), role, "one", {}, options).value();
  }
  [[nodiscard]] signed_toc sign(const toc_statement& statement) const {
    return sign_toc(signing_identity::load(files.certificate, files.key).value(), statement).value();
  }
  [[nodiscard]] trust_anchor anchor() const { return trust_anchor::load(folder.path() / "ca.crt").value(); }
};

toc_statement sample() {
  toc_statement statement;
  statement.reference = "redis:7";
  statement.signed_at = 42;
  return statement;
}

}  // namespace

TEST_CASE("a hub's signed statement is believed by who trusts its authority") {
  const cluster ours;
  const auto said = verify_toc(ours.anchor(), ours.sign(sample()), now);
  REQUIRE(said);
  CHECK(*said == sample());
}

TEST_CASE("a statement signed under another authority is denied") {
  const cluster ours;
  const cluster theirs;
  const auto said = verify_toc(ours.anchor(), theirs.sign(sample()), now);
  REQUIRE_FALSE(said);
  CHECK(said.error().code == errc::denied);
}

TEST_CASE("a statement signed with a node's, an admin's or a monitor's certificate is denied") {
  for (const auto role : {pki_role::node, pki_role::admin, pki_role::monitor}) {
    const cluster ours(role);
    const auto said = verify_toc(ours.anchor(), ours.sign(sample()), now);
    REQUIRE_FALSE(said);
    CHECK(said.error().code == errc::denied);
  }
}

TEST_CASE("a statement of an expired certificate is denied") {
  const cluster ours(pki_role::hub, {.certificate_validity = 1h});
  CHECK(verify_toc(ours.anchor(), ours.sign(sample()), now + 30min));
  const auto said = verify_toc(ours.anchor(), ours.sign(sample()), now + 2h);
  REQUIRE_FALSE(said);
  CHECK(said.error().code == errc::denied);
  CHECK(said.error().detail.find("expired") != std::string::npos);
}

TEST_CASE("a hub that was met is checked against the clock, and nobody passes for it") {
  const cluster ours(pki_role::hub, {.certificate_validity = 1h});
  const cluster theirs;
  const auto anchor = ours.anchor();
  const auto origin = ours.sign(sample());
  REQUIRE(anchor.meet_hub(origin.certificate_pem, now));
  CHECK(verify_toc(anchor, origin, now).value() == sample());
  CHECK(verify_toc(anchor, origin, now + 2h).error().code == errc::denied);
  CHECK(verify_toc(anchor, origin, now - 2h).error().code == errc::denied);
  CHECK(verify_toc(anchor, theirs.sign(sample()), now).error().code == errc::denied);
  auto changed = origin;
  changed.signature.back() ^= std::byte{1};
  CHECK(verify_toc(anchor, changed, now).error().code == errc::corrupt);
  CHECK(verify_toc(anchor, origin, now).value() == sample());
}

TEST_CASE("whom the authority did not make a hub cannot be met") {
  const cluster ours(pki_role::node);
  const cluster theirs;
  const auto anchor = ours.anchor();
  CHECK(anchor.meet_hub(ours.sign(sample()).certificate_pem, now).error().code == errc::denied);
  CHECK(anchor.meet_hub(theirs.sign(sample()).certificate_pem, now).error().code == errc::denied);
  CHECK(anchor.meet_hub("no certificate", now).error().code == errc::corrupt);
  CHECK(verify_toc(anchor, ours.sign(sample()), now).error().code == errc::denied);
}

TEST_CASE("a changed statement or signature is corrupt") {
  const cluster ours;
  auto origin = ours.sign(sample());
  SECTION("statement") {
    origin.statement[40] ^= std::byte{1};
  }
  SECTION("signature") {
    origin.signature[10] ^= std::byte{1};
  }
  SECTION("no signature") {
    origin.signature.clear();
  }
  SECTION("no certificate") {
    origin.certificate_pem.clear();
  }
  const auto said = verify_toc(ours.anchor(), origin, now);
  REQUIRE_FALSE(said);
  CHECK(said.error().code == errc::corrupt);
}

TEST_CASE("keys are readable by their owner only") {
  const cluster ours;
  CHECK(mode_of(ours.folder.path() / "ca.key") == 0600);
  CHECK(mode_of(ours.files.key) == 0600);
}

TEST_CASE("neither an authority nor a certificate is ever overwritten") {
  const cluster ours;
  const auto before = slurp(ours.folder.path() / "ca.key") + slurp(ours.files.key);
  const auto second_ca = init_ca(ours.folder.path());
  const auto second = issue_certificate(ours.folder.path(), pki_role::hub, "one");
  REQUIRE_FALSE(second_ca);
  REQUIRE_FALSE(second);
  CHECK(second_ca.error().code == errc::already_exists);
  CHECK(second.error().code == errc::already_exists);
  CHECK(slurp(ours.folder.path() / "ca.key") + slurp(ours.files.key) == before);
}

TEST_CASE("a name that is no file name, and a host that is none, are refused") {
  const cluster ours;
  for (const auto* name : {"", "a/b", "../x", "a b", ".", "a\nb"}) {
    const auto issued = issue_certificate(ours.folder.path(), pki_role::node, name);
    REQUIRE_FALSE(issued);
    CHECK(issued.error().code == errc::invalid_argument);
  }
  for (const auto* host : {"", "a,DNS:b", "a b", "a\n"}) {
    const auto issued = issue_certificate(ours.folder.path(), pki_role::hub, "two", {host});
    REQUIRE_FALSE(issued);
    CHECK(issued.error().code == errc::invalid_argument);
  }
  CHECK_FALSE(issue_certificate(ours.folder.path(), pki_role::monitor, "two", {"host"}));
  CHECK_FALSE(issue_certificate(ours.folder.path(), pki_role::node, "two", {hub_server_name}));
}

TEST_CASE("a hub's certificate takes names and addresses") {
  const cluster ours;
  CHECK(issue_certificate(ours.folder.path(), pki_role::hub, "two", {"hub.example", "10.0.0.1", "fd00::1"}));
}

TEST_CASE("issuing without an authority says that it is missing") {
  const temporary_folder folder;
  const auto issued = issue_certificate(folder.path(), pki_role::hub, "one");
  REQUIRE_FALSE(issued);
  CHECK(issued.error().code == errc::not_found);
}

TEST_CASE("a key that is not its certificate's is not loaded") {
  const cluster ours;
  const auto other = issue_certificate(ours.folder.path(), pki_role::hub, "two").value();
  const auto loaded = signing_identity::load(ours.files.certificate, other.key);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == errc::corrupt);
}
