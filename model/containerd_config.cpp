#include "model/containerd_config.hpp"

#include <algorithm>

#include "model/marked_lines.hpp"

namespace firstlight {
namespace {

using outline = std::vector<toml_statement>;
using kind = toml_statement::kind;

const toml_path cri_version_2{"plugins", "io.containerd.grpc.v1.cri", "containerd"};
const toml_path cri_version_3{"plugins", "io.containerd.cri.v1.images"};

toml_path below(toml_path path, const std::string& key) {
  path.push_back(key);
  return path;
}

toml_path section(const std::string& snapshotter) {
  return {"proxy_plugins", snapshotter};
}

std::string at_line(const toml_statement& one) {
  return "line " + std::to_string(one.line + 1) + ": ";
}

const toml_statement* find(const outline& all, kind what, const toml_path& path) {
  const auto found = std::ranges::find_if(
      all, [&](const toml_statement& one) { return one.what == what && one.path == path; });
  return found == all.end() ? nullptr : &*found;
}

std::string_view value_of(std::string_view text, const toml_statement& one) {
  return text.substr(one.value_begin, one.value_end - one.value_begin);
}

bool says(std::string_view text, const outline& all, const toml_setting& wanted) {
  const auto* one = find(all, kind::assignment, wanted.path);
  return one != nullptr && toml_value_text(value_of(text, *one)) == toml_value_text(wanted.value);
}

/// 2 or 3; 0 if the config names none and reads the same as one of version 2.
result<int> version_of(std::string_view text, const outline& all) {
  const std::string remedy =
      "; 'containerd config migrate' of containerd 1.7 or later writes version 2 or 3, or do so by hand";
  const auto* version = find(all, kind::assignment, {"version"});
  if (version == nullptr) {
    const auto differs = std::ranges::find_if(all, [](const toml_statement& one) {
      const auto& first = one.path.front();
      return first == "plugins" || first == "disabled_plugins" || first == "required_plugins";
    });
    if (differs == all.end()) return 0;
    return fail(errc::failed_precondition,
                at_line(*differs) +
                    "names plugins, and without a 'version' containerd takes that for "
                    "version 1 of its config" +
                    remedy);
  }
  const auto value = value_of(text, *version);
  if (value == "2") return 2;
  if (value == "3") return 3;
  if (value == "1" || value == "0")
    return fail(errc::failed_precondition, at_line(*version) + "the config is of version 1" + remedy);
  return fail(
      errc::unsupported,
      at_line(*version) + "versions 2 and 3 of containerd's config are known, not " + std::string(value));
}

std::vector<toml_setting> wanted_settings(const containerd_wish& wish, int version) {
  const auto own = section(wish.snapshotter);
  std::vector<toml_setting> all{{below(own, "type"), "\"snapshot\""},
                                {below(own, "address"), toml_string(wish.socket)},
                                {below(below(own, "exports"), "root"), toml_string(wish.root)}};
  // Where containerd 2.1 and later hand a layer's labels on without the CRI plugin.
  if (version == 3)
    all.push_back({below(below(own, "exports"), "enable_remote_snapshot_annotations"), "\"true\""});
  if (wish.cri == cri_use::by_snapshotter) {
    const auto& cri = version == 3 ? cri_version_3 : cri_version_2;
    all.push_back({below(cri, "snapshotter"), toml_string(wish.snapshotter)});
    all.push_back({below(cri, "disable_snapshot_annotations"), "false"});
  }
  return all;
}

/// Containerd removes all snapshots of a snapshotter that it does not know by the name whose turn it is: so
/// one socket must not have two.
result<void> check_only_name(std::string_view text, const outline& all, const containerd_wish& wish) {
  const auto own = below(section(wish.snapshotter), "address");
  const auto other = std::ranges::find_if(all, [&](const toml_statement& one) {
    return one.what == kind::assignment && one.path.size() == own.size() && one.path.front() == own.front() &&
           one.path.back() == own.back() && one.path != own &&
           toml_value_text(value_of(text, one)) == wish.socket;
  });
  if (other == all.end()) return {};
  return fail(
      errc::failed_precondition,
      at_line(*other) + "the node's socket is " + toml_dotted(other->path) +
          " already, and under each of two names containerd would remove what the other has: take one "
          "out, or set containerd.snapshotter of the node to the name that is to stay");
}

/// Why a header for `table` cannot be added: a statement that makes it, or something above it, otherwise.
const toml_statement* obstacle(const outline& all, const toml_path& table) {
  const auto found = std::ranges::find_if(all, [&](const toml_statement& one) {
    if (one.what == kind::array_of_tables) return starts_with(table, one.path);
    if (one.what == kind::table) return false;
    return starts_with(table, one.path) ||                                    // inline, or no table at all
           (starts_with(one.path, table) && one.table_depth < table.size());  // dotted keys
  });
  return found == all.end() ? nullptr : &*found;
}

class editor {
 public:
  editor(std::string_view text, const outline& all) : text_(text), lines_(lines_of(text)), all_(all) {}

  /// Makes the config say it. Settings of one table follow each other.
  result<void> set(const toml_setting& wanted) {
    if (says(text_, all_, wanted)) return {};
    if (const auto* one = find(all_, kind::assignment, wanted.path); one != nullptr)
      return change(*one, wanted.value);
    auto table = wanted.path;
    table.pop_back();
    const auto line = toml_dotted({wanted.path.back()}) + " = " + wanted.value;
    if (const auto* header = find(all_, kind::table, table); header != nullptr) {
      edits_.push_back({header->line + 1, line_edit::how::before, {indentation_below(*header) + line}});
      return {};
    }
    if (const auto* other = obstacle(all_, table); other != nullptr)
      return fail(errc::failed_precondition, at_line(*other) + "write it as a section [" +
                                                 toml_dotted(table) +
                                                 "] of its own; inline tables and dotted keys cannot be "
                                                 "extended safely");
    append(table, line);
    return {};
  }

  void put_first(const std::string& line) { edits_.push_back({0, line_edit::how::before, {line}}); }

  [[nodiscard]] std::string text() const { return mark_edits(text_, edits_); }

 private:
  result<void> change(const toml_statement& one, const std::string& value) {
    const auto current = value_of(text_, one);
    if (one.lines != 1 || current.starts_with('{') || current.starts_with('['))
      return fail(errc::failed_precondition,
                  at_line(one) + "write the value of " + toml_dotted(one.path) + " on one line");
    std::string line(lines_[one.line]);
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    const auto begin = one.value_begin - static_cast<std::size_t>(lines_[one.line].data() - text_.data());
    line.replace(begin, one.value_end - one.value_begin, value);
    edits_.push_back({one.line, line_edit::how::instead, {line}});
    return {};
  }

  std::string indentation_below(const toml_statement& header) const {
    const auto spaces = [&](const toml_statement& one) {
      const auto line = lines_[one.line];
      return std::string(line.substr(0, line.find_first_not_of(" \t")));
    };
    const auto first = std::ranges::find_if(all_, [&](const toml_statement& one) {
      return one.what == kind::assignment && one.line > header.line &&
             one.table_depth == header.path.size() && starts_with(one.path, header.path);
    });
    return first == all_.end() ? spaces(header) + "  " : spaces(*first);
  }

  void append(const toml_path& table, const std::string& line) {
    const auto header = "[" + toml_dotted(table) + "]";
    const auto same = std::ranges::find_if(
        edits_, [&](const line_edit& edit) { return !edit.lines.empty() && edit.lines.front() == header; });
    if (same != edits_.end())
      same->lines.push_back("  " + line);
    else
      edits_.push_back({lines_.size(), line_edit::how::before, {header, "  " + line}});
  }

  std::string_view text_;
  std::vector<std::string_view> lines_;
  const outline& all_;
  std::vector<line_edit> edits_;
};

bool all_said(std::string_view text, const outline& all, const std::vector<toml_setting>& wanted) {
  return std::ranges::all_of(wanted, [&](const toml_setting& one) { return says(text, all, one); });
}

bool cri_uses(std::string_view text, const outline& all, const std::string& snapshotter) {
  return std::ranges::any_of(std::vector{cri_version_2, cri_version_3}, [&](const toml_path& cri) {
    return says(text, all, {below(cri, "snapshotter"), toml_string(snapshotter)});
  });
}

/// Of images that it has pulled for another snapshotter containerd then keeps no layers to unpack for this
/// one.
const toml_statement* discards_layers(std::string_view text, const outline& all) {
  for (const auto& cri : {cri_version_2, cri_version_3})
    if (const auto* one = find(all, kind::assignment, below(cri, "discard_unpacked_layers"));
        one != nullptr && value_of(text, *one) == "true")
      return one;
  return nullptr;
}

std::vector<std::string> notes_of_installation(std::string_view text, const outline& all,
                                               const containerd_wish& wish) {
  if (wish.cri != cri_use::by_snapshotter) return {};
  std::vector<std::string> notes;
  const auto* disabled = find(all, kind::assignment, {"disabled_plugins"});
  if (disabled != nullptr && value_of(text, *disabled).find(".cri") != std::string_view::npos)
    notes.push_back(at_line(*disabled) + "the CRI plugin is disabled, so its settings have no effect");
  if (const auto* discards = discards_layers(text, all); discards != nullptr)
    notes.push_back(at_line(*discards) +
                    "containerd has discarded the layers of the images that it has, so no " +
                    "new container starts from them through " + wish.snapshotter +
                    ": pull them again after the restart (crictl pull), the sandbox image first");
  return notes;
}

/// Who would ask for a snapshotter that is gone.
std::vector<std::string> notes_of_removal(std::string_view text, const outline& all,
                                          const std::string& name) {
  if (find(all, kind::table, section(name)) != nullptr)
    return {"the section [" + toml_dotted(section(name)) +
            "] that was there before is back; remove again to take it out too"};
  std::vector<std::string> notes;
  for (const auto& one : all)
    if (one.what == kind::assignment && one.path.back() == "snapshotter" &&
        toml_value_text(value_of(text, one)) == name)
      notes.push_back(at_line(one) + toml_dotted(one.path) + " still names " + name);
  return notes;
}

/// An inline table in which the snapshotter's section may be.
const toml_statement* inline_parent(std::string_view text, const outline& all, const std::string& name) {
  const auto found = std::ranges::find_if(all, [&](const toml_statement& one) {
    return one.what == kind::assignment && one.path == toml_path{"proxy_plugins"} &&
           value_of(text, one).find(name) != std::string_view::npos;
  });
  return found == all.end() ? nullptr : &*found;
}

/// The text without the statements that concern the snapshotter.
std::string without_statements(std::string_view text, const outline& all, const std::string& name) {
  const auto goes = [&](const toml_statement& one) {
    if (starts_with(one.path, section(name))) return true;
    const bool choice =
        one.path == below(cri_version_2, "snapshotter") || one.path == below(cri_version_3, "snapshotter");
    return choice && one.what == kind::assignment && toml_value_text(value_of(text, one)) == name;
  };
  const auto lines = lines_of(text);
  std::vector<bool> gone(lines.size(), false);
  for (const auto& one : all)
    if (goes(one)) std::fill_n(gone.begin() + static_cast<std::ptrdiff_t>(one.line), one.lines, true);
  std::string out;
  for (std::size_t at = 0; at < lines.size(); ++at)
    if (!gone[at]) out += lines[at];
  return out;
}

}  // namespace

result<containerd_edit> install_snapshotter(std::string_view text, const containerd_wish& asked) {
  const auto before = outline_toml(text);
  if (!before) return tl::unexpected(before.error());
  const auto base = take_back_edits(text);
  if (!base) return tl::unexpected(base.error());
  const auto all = outline_toml(*base);
  if (!all) return tl::unexpected(all.error());
  const auto version = version_of(*base, *all);
  if (!version) return tl::unexpected(version.error());
  if (auto only = check_only_name(*base, *all, asked); !only) return tl::unexpected(only.error());

  auto wish = asked;
  if (cri_uses(text, *before, wish.snapshotter)) wish.cri = cri_use::by_snapshotter;
  auto wanted = wanted_settings(wish, *version);
  if (*version == 0) wanted.insert(wanted.begin(), {{"version"}, "2"});
  containerd_edit made{std::string(text), wanted, notes_of_installation(*base, *all, wish)};
  if (all_said(text, *before, wanted)) return made;

  editor edit(*base, *all);
  for (const auto& one : wanted) {
    if (one.path.size() == 1) {
      edit.put_first("version = 2");
    } else if (auto done = edit.set(one); !done) {
      return tl::unexpected(done.error());
    }
  }
  made.text = edit.text();
  return made;
}

result<containerd_edit> remove_snapshotter(std::string_view text, const std::string& snapshotter) {
  containerd_edit made;
  if (has_marked_edits(text)) {
    auto base = take_back_edits(text);
    if (!base) return tl::unexpected(base.error());
    made.text = std::move(*base);
  } else {
    const auto all = outline_toml(text);
    if (!all) return tl::unexpected(all.error());
    if (const auto* around = inline_parent(text, *all, snapshotter); around != nullptr)
      return fail(errc::failed_precondition,
                  at_line(*around) + "take " + snapshotter + " out of this inline table by hand");
    made.text = without_statements(text, *all, snapshotter);
  }
  const auto after = outline_toml(made.text);
  if (!after) return tl::unexpected(after.error());
  made.notes = notes_of_removal(made.text, *after, snapshotter);
  return made;
}

bool is_of_snapshotter(const toml_path& path, const std::string& snapshotter) {
  return path == toml_path{"version"} || starts_with(path, section(snapshotter)) ||
         std::ranges::any_of(std::vector{cri_version_2, cri_version_3}, [&](const toml_path& cri) {
           return path == below(cri, "snapshotter") || path == below(cri, "disable_snapshot_annotations");
         });
}

}  // namespace firstlight
