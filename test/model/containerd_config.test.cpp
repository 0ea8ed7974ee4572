#include "model/containerd_config.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

const containerd_wish plain{"firstlight", "/run/firstlight/containerd.sock",
                            "/var/lib/firstlight/node/snapshots", cri_use::left_alone};
const containerd_wish with_cri{plain.snapshotter, plain.socket, plain.root, cri_use::by_snapshotter};

const std::string debian =
    "version = 2\n"
    "\n"
    "[plugins]\n"
    "  [plugins.\"io.containerd.grpc.v1.cri\"]\n"
    "    [plugins.\"io.containerd.grpc.v1.cri\".cni]\n"
    "      bin_dir = \"/usr/lib/cni\"\n";

/// A config of pieces that may stand in any order after the version, as people write them.
rc::Gen<std::string> any_config() {
  return rc::gen::exec([] {
    const bool third = *rc::gen::arbitrary<bool>();
    const std::string end = *rc::gen::element<std::string>("\n", "\r\n");
    const std::string cri = third ? "[plugins.'io.containerd.cri.v1.images']"
                                  : "[plugins.\"io.containerd.grpc.v1.cri\".containerd]";
    std::vector<std::string> pieces{
        "# a comment",
        "",
        "[grpc]" + end + "  address = \"/run/c.sock\"  # mine",
        "[plugins]",
        "[proxy_plugins]",
        "[proxy_plugins.other]" + end + "  type = 'snapshot'" + end + "  address = '/o'",
        *rc::gen::element<std::string>("", "  ") + "[proxy_plugins.firstlight]" + end +
            "type = \"snapshot\"" + end + "address = \"/elsewhere\"  # why",
        "[proxy_plugins.firstlight.exports]" + end + "root = '/elsewhere'",
        cri + end + *rc::gen::element<std::string>("", "\t") +
            *rc::gen::element<std::string>("snapshotter = 'overlayfs' # was mine", "# nothing",
                                           "disable_snapshot_annotations = true") +
            end + "discard_unpacked_layers = false"};
    std::string text = "version = " + std::string(third ? "3" : "2") + end;
    for (auto& piece : pieces)
      if (*rc::gen::arbitrary<bool>()) text += piece + end;
    if (*rc::gen::arbitrary<bool>()) text.resize(text.size() - end.size());
    return text;
  });
}

containerd_wish any_wish() {
  auto wish = plain;
  wish.cri = *rc::gen::element(cri_use::left_alone, cri_use::by_snapshotter);
  wish.socket = *rc::gen::element<std::string>("/run/a.sock", "/run/\"b\\ c\".sock");
  return wish;
}

std::string value_in(const std::string& text, const toml_path& path) {
  const auto all = outline_toml(text).value();
  for (const auto& one : all)
    if (one.what == toml_statement::kind::assignment && one.path == path)
      return text.substr(one.value_begin, one.value_end - one.value_begin);
  return "";
}

errc refused(const std::string& text, const containerd_wish& wish = with_cri) {
  const auto edit = install_snapshotter(text, wish);
  if (edit) return errc{};
  CHECK(edit.error().detail.find('\n') == std::string::npos);
  return edit.error().code;
}

}  // namespace

TEST_CASE("installing and removing gives the config as it was; installing twice is installing once") {
  CHECK(rc::check([] {
    const auto before = *any_config();
    const auto wish = any_wish();
    const auto once = install_snapshotter(before, wish).value();
    RC_ASSERT(once.text != before);
    RC_ASSERT(install_snapshotter(once.text, wish).value().text == once.text);
    RC_ASSERT(remove_snapshotter(once.text, "firstlight").value().text == before);
    for (const auto& [path, value] : once.settings) RC_ASSERT(value_in(once.text, path) == value);
  }));
}

TEST_CASE("a changed wish replaces the first one, and both are taken back together") {
  CHECK(rc::check([] {
    const auto before = *any_config();
    auto wish = any_wish();
    const auto first = install_snapshotter(before, wish).value();
    wish.socket = "/run/new.sock";
    const auto second = install_snapshotter(first.text, wish).value();
    RC_ASSERT(value_in(second.text, {"proxy_plugins", "firstlight", "address"}) == "\"/run/new.sock\"");
    RC_ASSERT(remove_snapshotter(second.text, "firstlight").value().text == before);
  }));
}

TEST_CASE("every line of others is there after an installation, in its order") {
  CHECK(rc::check([] {
    const auto before = *any_config();
    const auto after = install_snapshotter(before, any_wish()).value().text;
    std::size_t at = 0;
    std::size_t line = 0;
    while (line < before.size()) {
      const auto end = std::min(before.find('\n', line), before.size());
      const auto found = after.find(before.substr(line, end - line), at);  // perhaps behind "# before: "
      RC_ASSERT(found != std::string::npos);
      at = found + (end - line);
      line = end + 1;
    }
  }));
}

TEST_CASE("Debian's config gets the sections that it lacks, at its end") {
  CHECK(install_snapshotter(debian, with_cri)->text ==
        debian +
            "# >>> firstlight install\n"
            "[proxy_plugins.firstlight]\n"
            "  type = \"snapshot\"\n"
            "  address = \"/run/firstlight/containerd.sock\"\n"
            "[proxy_plugins.firstlight.exports]\n"
            "  root = \"/var/lib/firstlight/node/snapshots\"\n"
            "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n"
            "  snapshotter = \"firstlight\"\n"
            "  disable_snapshot_annotations = false\n"
            "# <<< firstlight install\n");
}

TEST_CASE("values that are there are changed on their lines, which keep their comments") {
  const auto edit = install_snapshotter(
      "version = 3\n[plugins.'io.containerd.cri.v1.images']\n  snapshotter = 'overlayfs'  # default\n",
      with_cri);
  CHECK(edit->text ==
        "version = 3\n[plugins.'io.containerd.cri.v1.images']\n"
        "  # >>> firstlight install\n  disable_snapshot_annotations = false\n  # <<< firstlight install\n"
        "  # >>> firstlight install\n  # before:   snapshotter = 'overlayfs'  # default\n"
        "  snapshotter = \"firstlight\"  # default\n  # <<< firstlight install\n"
        "# >>> firstlight install\n[proxy_plugins.firstlight]\n  type = \"snapshot\"\n"
        "  address = \"/run/firstlight/containerd.sock\"\n[proxy_plugins.firstlight.exports]\n"
        "  root = \"/var/lib/firstlight/node/snapshots\"\n  enable_remote_snapshot_annotations = \"true\"\n"
        "# <<< firstlight install\n");
}

TEST_CASE("without a config a whole one of version 2 is made, and removed whole") {
  const auto edit = install_snapshotter("", plain);
  CHECK(edit->text ==
        "# >>> firstlight install\nversion = 2\n[proxy_plugins.firstlight]\n  type = \"snapshot\"\n"
        "  address = \"/run/firstlight/containerd.sock\"\n[proxy_plugins.firstlight.exports]\n"
        "  root = \"/var/lib/firstlight/node/snapshots\"\n# <<< firstlight install\n");
  CHECK(remove_snapshotter(edit->text, "firstlight")->text.empty());
  const std::string neutral = "# mine\n[grpc]\n  address = \"/run/c.sock\"\n";
  const auto versioned = install_snapshotter(neutral, plain);
  CHECK(value_in(versioned->text, {"version"}) == "2");
  CHECK(remove_snapshotter(versioned->text, "firstlight")->text == neutral);
}

TEST_CASE("the CRI plugin keeps the snapshotter when only the socket changes") {
  const auto first = install_snapshotter(debian, with_cri).value();
  auto moved = plain;
  moved.socket = "/run/moved.sock";
  const auto second = install_snapshotter(first.text, moved).value();
  CHECK(value_in(second.text, {"plugins", "io.containerd.grpc.v1.cri", "containerd", "snapshotter"}) ==
        "\"firstlight\"");
}

TEST_CASE("sections that people wrote themselves are left when they say the same, and can be removed") {
  const std::string by_hand =
      "version = 2\n[proxy_plugins]\n  # mine\n  [proxy_plugins.firstlight]\n    type = \"snapshot\"\n"
      "    address = \"/run/firstlight/containerd.sock\"\n"
      "  [proxy_plugins.firstlight.exports]\n    root = \"/var/lib/firstlight/node/snapshots\"\n"
      "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  snapshotter = \"firstlight\"\n"
      "  disable_snapshot_annotations = false\n"
      "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.lazy]\n  snapshotter = \"firstlight\"\n";
  CHECK(install_snapshotter(by_hand, with_cri)->text == by_hand);
  const auto removed = remove_snapshotter(by_hand, "firstlight");
  CHECK(removed->text ==
        "version = 2\n[proxy_plugins]\n  # mine\n"
        "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  disable_snapshot_annotations = false\n"
        "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.lazy]\n  snapshotter = \"firstlight\"\n");
  REQUIRE(removed->notes.size() == 1);
  CHECK(removed->notes.front().starts_with("line 7: "));
  CHECK(remove_snapshotter(removed->text, "firstlight")->text == removed->text);
}

TEST_CASE("a section that was there before the installation comes back, and the user is told") {
  const auto removed = remove_snapshotter(
      install_snapshotter("version = 2\n[proxy_plugins.firstlight]\ntype = \"snapshot\"\naddress = \"/a\"\n",
                          plain)
          ->text,
      "firstlight");
  CHECK(removed->notes.size() == 1);
}

TEST_CASE("configs of version 1 and of unknown versions are refused") {
  CHECK(refused("version = 1\n") == errc::failed_precondition);
  CHECK(refused("disabled_plugins = [\"cri\"]\n") == errc::failed_precondition);
  CHECK(refused("[plugins.cri]\n") == errc::failed_precondition);
  CHECK(refused("version = 4\n") == errc::unsupported);
  CHECK(refused("version = \n") == errc::invalid_argument);
}

TEST_CASE("what cannot be edited safely is refused") {
  for (const std::string tail :
       {"proxy_plugins = {}", "[proxy_plugins]\nfirstlight = { type = \"snapshot\", address = \"/a\" }",
        "[proxy_plugins]\nfirstlight.type = \"snapshot\"", "[[proxy_plugins]]",
        "[proxy_plugins.firstlight]\nexports = { root = \"/a\" }",
        "[plugins.\"io.containerd.grpc.v1.cri\"]\ncontainerd.runtimes.runc.x = 1",
        "[proxy_plugins.firstlight]\ntype = \"snapshot\"\naddress = \"\"\"\n/a\"\"\"",
        "# >>> firstlight install"}) {
    INFO(tail);
    CHECK(refused("version = 2\n" + tail + "\n") == errc::failed_precondition);
  }
  const auto inline_table =
      remove_snapshotter("version = 2\nproxy_plugins = { firstlight = {} }\n", "firstlight");
  CHECK(inline_table.error().code == errc::failed_precondition);
}

TEST_CASE("containerd is told where snapshots lie, and from version 3 on to name images in every pull") {
  const toml_path exports{"proxy_plugins", "firstlight", "exports"};
  const auto exported = [&](const std::string& text, const std::string& key) {
    auto path = exports;
    path.push_back(key);
    return value_in(text, path);
  };
  for (const std::string version : {"2", "3"}) {
    CAPTURE(version);
    const auto before = "version = " + version + "\n[proxy_plugins.firstlight.exports]\n  root = \"/old\"\n";
    const auto after = install_snapshotter(before, plain)->text;
    CHECK(exported(after, "root") == "\"/var/lib/firstlight/node/snapshots\"");
    CHECK(exported(after, "enable_remote_snapshot_annotations") == (version == "3" ? "\"true\"" : ""));
    CHECK(remove_snapshotter(after, "firstlight")->text == before);
    CHECK(remove_snapshotter(before, "firstlight")->text == "version = " + version + "\n");
  }
}

TEST_CASE("a socket that has another name already is refused: containerd would clear one for the other") {
  const std::string other =
      "version = 2\n[proxy_plugins.stargz]\ntype = \"snapshot\"\n"
      "address = '/run/firstlight/containerd.sock'\n";
  const auto edit = install_snapshotter(other, plain);
  REQUIRE_FALSE(edit);
  CHECK(edit.error().code == errc::failed_precondition);
  CHECK(edit.error().detail.starts_with("line 4: "));
  auto same = plain;
  same.snapshotter = "stargz";
  CHECK(install_snapshotter(other, same).has_value());
}

TEST_CASE("a disabled CRI plugin is mentioned") {
  const auto edit =
      install_snapshotter("version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n", with_cri);
  CHECK(edit->notes.size() == 1);
  CHECK(install_snapshotter(debian, with_cri)->notes.empty());
}

TEST_CASE("it is mentioned that images which are here already lack their layers, where they are discarded") {
  const std::string second = "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n";
  const std::string third = "[plugins.'io.containerd.cri.v1.images']\n";
  for (const auto& head : {"version = 2\n" + second, "version = 3\n" + third}) {
    INFO(head);
    const auto notes = [&](const std::string& value, const containerd_wish& wish) {
      return install_snapshotter(head + "discard_unpacked_layers = " + value + "  # why\n", wish)->notes;
    };
    REQUIRE(notes("true", with_cri).size() == 1);
    CHECK(notes("true", with_cri).front().starts_with("line 3: "));
    CHECK(notes("true", with_cri).front().find("crictl pull") != std::string::npos);
    CHECK(notes("false", with_cri).empty());
    CHECK(notes("true", plain).empty());  // then only who names the snapshotter uses it
  }
}
