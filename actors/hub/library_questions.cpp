#include "actors/hub/library_questions.hpp"

#include "model/freshness.hpp"

namespace firstlight {
namespace {

bool is_file(const image_reference& reference) {
  return reference.transport != image_transport::registry;
}

bool names_same_repository(const std::string& name, const image_reference& other) {
  const auto parsed = parse_image_reference(name);
  return parsed && parsed->host == other.host && parsed->repository == other.repository;
}

}  // namespace

result<std::optional<image_record>> find_pinned(const library_tools& tools, const image_reference& asked) {
  auto records = tools.catalogue.list();
  if (!records) return tl::unexpected(records.error());
  std::optional<image_record> found;
  for (auto& record : *records) {
    if (record.manifest_digest != *asked.pinned) continue;
    if (names_same_repository(record.reference, asked)) return std::optional(std::move(record));
    const auto source = parse_image_reference(record.source);
    if (source && (is_file(*source) || source->host == asked.host)) found = std::move(record);
  }
  return found;
}

result<canonical_question> as_named(const resolve_image& asked) {
  auto reference = parse_image_reference(asked.reference);
  if (!reference) return tl::unexpected(reference.error());
  auto wanted = parse_platform(asked.platform);
  if (!wanted) return tl::unexpected(wanted.error());
  auto name = asked.name.empty() ? reference : parse_image_reference(asked.name);
  if (!name) return tl::unexpected(name.error());
  return canonical_question{*reference, *reference, *wanted, {name->text(), wanted->text()}};
}

result<canonical_question> canonical(const library_tools& tools, const resolve_image& asked) {
  auto canonical = as_named(asked);
  if (!canonical || !asked.name.empty()) return canonical;
  const auto record = tools.catalogue.find(canonical->where.first, canonical->where.second);
  if (!record) return tl::unexpected(record.error());
  if (!*record || (*record)->source == (*record)->reference) return canonical;
  auto source = parse_image_reference((*record)->source);
  if (!source) return tl::unexpected(source.error());
  canonical->reference = *source;
  return canonical;
}

std::optional<image_reference> source_of_layers(const library_tools& tools, const canonical_question& asked) {
  if (asked.reference.layers == 0 || !asked.reference.pinned) return std::nullopt;
  const auto whole = find_pinned(tools, asked.reference);
  if (!whole || !*whole) return std::nullopt;
  const auto source = parse_image_reference((*whole)->source);
  const bool here =
      source && (is_file(*source) || names_same_repository((*whole)->reference, asked.reference));
  return here ? std::optional(*source) : std::nullopt;
}

shared_login login_for(const image_reference& read, const image_reference& named, const shared_login& login) {
  return !is_file(named) && named.host == read.host ? login : shared_login{};
}

source_options sources_for(const library_tools& tools, const image_reference& read,
                           const image_reference& named, const std::optional<image_caller>& caller) {
  auto source = tools.source;
  const auto login = caller ? login_for(read, named, caller->login) : shared_login{};
  if (!login) return source;
  source.login = login_of::either;
  source.caller_login = login;
  return source;
}

result<std::optional<image_record>> record_for(const library_tools& tools, const resolve_image& asked,
                                               const canonical_question& canonical) {
  auto record = tools.catalogue.find(canonical.where.first, canonical.where.second);
  if (!record) return record;
  if (asked.toc && (!*record || (*record)->toc != *asked.toc)) {
    auto older = tools.catalogue.find_toc(*asked.toc);
    if (!older || *older) return older;
  }
  if (!*record && canonical.reference.pinned) return find_pinned(tools, canonical.reference);
  return record;
}

result<std::optional<image_reference>> what_must_be_readable(const library_tools& tools,
                                                             const std::optional<image_record>& record,
                                                             const image_reference& asked, bool exactly,
                                                             std::chrono::milliseconds now) {
  auto source = record ? parse_image_reference(record->source) : asked;
  if (!source) return tl::unexpected(source.error());
  // The same manifest may be in several repositories of a registry, of which the caller has named one that he
  // can read.
  const bool meant = record && asked.pinned &&
                     (record->manifest_digest == *asked.pinned || record->top_digest == *asked.pinned);
  if (meant && source->host == asked.host && !is_file(*source) &&
      !names_same_repository(record->reference, asked))
    source = asked;
  if (is_file(*source)) {
    if (record) return std::nullopt;
    return fail(errc::denied, source->text() +
                                  " is a file of the hub's machine: only its administrator may add it, with "
                                  "'firstlight image add'");
  }
  source->layers = 0;
  // One that is used as last known is asked for by its tag too: its registry may be back, without that
  // digest.
  const freshness_question age{
      record ? std::optional(std::chrono::seconds(record->checked_at)) : std::nullopt,
      asked.pinned.has_value() || exactly, now, tools.tag_check_interval};
  if (decide_freshness(age) == freshness::use && !source->pinned) source->pinned = record->top_digest;
  return std::optional(std::move(*source));
}

}  // namespace firstlight
