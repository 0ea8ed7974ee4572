#include <algorithm>

#include "actors/hub/hub_traces.hpp"
#include "model/image_reference.hpp"
#include "schemas/trace_json.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

named_image name_of(const trace& one) {
  if (!one.spelling.image.empty()) return {one.spelling.image, one.spelling.tag};
  const auto parsed = parse_image_reference(one.reference);
  if (!parsed) return {one.reference, ""};
  auto name = parsed->text();
  const auto tag = ":" + parsed->tag;
  if (!parsed->tag.empty() && name.ends_with(tag)) name.resize(name.size() - tag.size());
  return {name, parsed->tag};
}

trace_spelling spelling_of(const trace_file& file) {
  const bool rooted = std::all_of(file.accesses.begin(), file.accesses.end(),
                                  [](const group_access& one) { return one.path.starts_with('/'); });
  return {file.image.name, file.image.tag, rooted};
}

std::string plain_path(std::string_view path) {
  if (path.starts_with("./")) path.remove_prefix(2);
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

digest hash_of(std::string_view text) {
  return sha256({reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

/// One file may be for several images: of other platforms, or of what a tag means later.
trace_id id_of(const toc_id& image, const std::string& file) {
  return {hash_of(std::string(as_key(image.value)) + file)};
}

/// Earlier versions named a trace by its file alone.
result<bool> is_here(const hub_trace_tools& tools, const trace& read, const std::string& file) {
  for (const auto& id : {read.id, trace_id{hash_of(file)}}) {
    const auto here = tools.traces.find(id);
    if (!here) return tl::unexpected(here.error());
    if (*here && (*here)->toc == read.toc) return true;
  }
  return false;
}

result<std::vector<trace_id>> ids_of(const hub_trace_tools& tools, const admin_trace_export& asked) {
  std::vector<trace_id> ids;
  const auto take = [&](const std::vector<trace_stamp>& stamps) {
    for (const auto& one : stamps)
      if (one.id.value.hex() > asked.after) ids.push_back(one.id);
  };
  if (asked.reference.empty()) {
    const auto all = tools.traces.stamps();
    if (!all) return tl::unexpected(all.error());
    for (const auto& [image, stamps] : *all) take(stamps);
  } else {
    const auto record = record_of(tools, asked.reference, asked.platform);
    if (!record) return tl::unexpected(record.error());
    const auto stamps = tools.traces.stamps(record->toc);
    if (!stamps) return tl::unexpected(stamps.error());
    take(*stamps);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string file_of(const trace& one) {
  trace_file file{one.group, name_of(one), one.started, {}};
  const std::string root = one.spelling.rooted ? "/" : "";
  for (const auto& each : one.files)
    file.accesses.push_back({root + each.path, each.access, each.wait, 0, 0});
  return trace_file_json(file);
}

}  // namespace

result<admin_trace_texts> export_traces(const hub_trace_tools& tools, const admin_trace_export& asked) {
  const auto ids = ids_of(tools, asked);
  if (!ids) return tl::unexpected(ids.error());
  admin_trace_texts page;
  std::size_t bytes = 0;
  for (const auto& id : *ids) {
    const auto one = tools.traces.find(id);
    if (!one && one.error().code == errc::corrupt) continue;  // teaches nothing either
    if (!one) return tl::unexpected(one.error());
    if (!*one) continue;  // removed meanwhile
    auto text = file_of(**one);
    page.more = !page.traces.empty() && bytes + text.size() > tools.page_bytes;
    if (page.more) break;
    bytes += text.size();
    page.traces.push_back({id.value.hex(), std::move(text)});
  }
  return page;
}

result<trace> read_trace_file(const hub_trace_tools& tools, const std::string& text,
                              const std::string& platform) {
  const auto file = parse_trace_file(text);
  if (!file) return tl::unexpected(file.error());
  const auto record =
      record_of(tools, file->image.name + (file->image.tag.empty() ? "" : ":" + file->image.tag), platform);
  if (!record) return tl::unexpected(record.error());
  trace made{id_of(record->toc, text),
             record->toc,
             record->reference,
             file->group,
             std::string(imported_node),
             file->started,
             {}};
  for (const auto& one : file->accesses)
    made.files.push_back({plain_path(one.path), one.access, one.wait, {}});
  made.spelling = spelling_of(*file);
  sort_trace(made);
  return made;
}

result<std::optional<trace>> trace_to_import(const hub_trace_tools& tools, const std::string& text,
                                             const std::string& platform) {
  auto read = read_trace_file(tools, text, platform);
  if (!read) return tl::unexpected(read.error());
  const auto here = is_here(tools, *read, text);
  if (!here) return tl::unexpected(here.error());
  if (*here) return std::nullopt;
  if (auto forgotten = tools.traces.forget(read->id); !forgotten) return tl::unexpected(forgotten.error());
  return std::optional(std::move(*read));
}

}  // namespace firstlight
