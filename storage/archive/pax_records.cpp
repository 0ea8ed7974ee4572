#include "storage/archive/pax_records.hpp"

#include <algorithm>
#include <charconv>

namespace firstlight {
namespace {

struct record {
  std::string_view key;
  std::string_view value;
  std::string_view rest;
};

// "<length> <key>=<value>\n", where the length counts all of it.
result<record> split_record(std::string_view text) {
  const auto bad = [] { return fail(errc::corrupt, "tar: a malformed PAX record"); };
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return bad();
  auto length = parse_decimal(text.substr(0, space));
  if (!length || *length < 5 || static_cast<std::uint64_t>(*length) > text.size()) return bad();
  const auto whole = static_cast<std::size_t>(*length);
  if (whole <= space + 1 || text[whole - 1] != '\n') return bad();
  const std::string_view body = text.substr(space + 1, whole - space - 2);
  const auto equals = body.find('=');
  if (equals == std::string_view::npos || equals == 0) return bad();
  return record{body.substr(0, equals), body.substr(equals + 1), text.substr(whole)};
}

bool is_text(std::string_view key) {
  return key == "path" || key == "linkpath" || key == "uname" || key == "gname" || key == "GNU.sparse.name";
}

result<void> check_zero_bytes(const record& r) {
  const std::string_view checked = is_text(r.key) ? r.value : r.key;
  if (checked.find('\0') != std::string_view::npos)
    return fail(errc::corrupt, "tar: a zero byte in a PAX record");
  return {};
}

// Version 0.0 repeats offset and numbytes in turn.
result<void> gather_sparse(const record& r, std::vector<std::string>& numbers) {
  const bool offset = r.key == "GNU.sparse.offset";
  if (offset != (numbers.size() % 2 == 0) || r.value.find(',') != std::string_view::npos) {
    return fail(errc::corrupt, "tar: PAX sparse records out of order");
  }
  numbers.emplace_back(r.value);
  return {};
}

std::string join(const std::vector<std::string>& numbers) {
  std::string all;
  for (const auto& n : numbers) all.append(all.empty() ? "" : ",").append(n);
  return all;
}

}  // namespace

result<std::int64_t> parse_decimal(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  if (text.size() > 1 && text[0] == '+') text.remove_prefix(1);
  const auto [at, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || at != end) return fail(errc::corrupt, "tar: not a decimal number");
  return value;
}

result<pax_records> parse_pax_records(std::string_view text) {
  pax_records records;
  std::vector<std::string> sparse;
  while (!text.empty()) {
    auto next = split_record(text);
    if (!next) return tl::unexpected(next.error());
    if (auto clean = check_zero_bytes(*next); !clean) return tl::unexpected(clean.error());
    if (next->key == "GNU.sparse.offset" || next->key == "GNU.sparse.numbytes") {
      if (auto ok = gather_sparse(*next, sparse); !ok) return tl::unexpected(ok.error());
    } else {
      records.insert_or_assign(std::string(next->key), std::string(next->value));
    }
    text = next->rest;
  }
  if (!sparse.empty()) records.insert_or_assign("GNU.sparse.map", join(sparse));
  return records;
}

result<timestamp> parse_pax_time(std::string_view text) {
  const auto dot = text.find('.');
  auto whole = parse_decimal(text.substr(0, dot));
  if (!whole) return tl::unexpected(whole.error());
  std::string fraction(dot == std::string_view::npos ? "" : text.substr(dot + 1));
  if (!std::all_of(fraction.begin(), fraction.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return fail(errc::corrupt, "tar: not a time");
  }
  fraction.resize(9, '0');
  const auto nanoseconds = static_cast<std::uint32_t>(std::stoul(fraction));
  if (text[0] != '-' || nanoseconds == 0) return timestamp{*whole, nanoseconds};
  if (*whole == INT64_MIN) return fail(errc::corrupt, "tar: a time out of range");
  return timestamp{*whole - 1, 1'000'000'000 - nanoseconds};
}

}  // namespace firstlight
