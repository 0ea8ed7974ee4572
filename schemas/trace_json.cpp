#include "schemas/trace_json.hpp"

#include <algorithm>
#include <cstdio>

#include "schemas/json.hpp"

namespace firstlight {
namespace {

using detail::json;
using ordered = nlohmann::ordered_json;
using std::chrono::nanoseconds;

std::string as_text(const ordered& value) {
  return value.dump(-1, ' ', false, ordered::error_handler_t::replace);
}

result<std::int64_t> whole(const json& from, const char* name) {
  const auto& value = detail::member(from, name);
  if (!value.is_number_integer())
    return fail(errc::corrupt, std::string("\"") + name + "\" is no whole number");
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)
    return fail(errc::corrupt, std::string("\"") + name + "\" is out of range");
  return value.get<std::int64_t>();
}

/// A time or a number that counts from 0.
result<std::int64_t> not_negative(const json& from, const char* name) {
  auto value = whole(from, name);
  if (value && *value < 0) return fail(errc::corrupt, std::string("\"") + name + "\" is below 0");
  return value;
}

result<named_image> image_of(const json& from) {
  named_image image{detail::text_member(from, "n"), detail::text_member(from, "t")};
  if (image.name.empty()) return fail(errc::corrupt, "an image without a name \"n\"");
  return image;
}

result<group_access> access_of(const json& from) {
  group_access access{detail::text_member(from, "f"), {}, {}, 0, 0};
  if (access.path.empty()) return fail(errc::corrupt, "an access without a file \"f\"");
  const auto at = not_negative(from, "a");
  const auto wait = not_negative(from, "w");
  if (!at || !wait) return tl::unexpected(at ? wait.error() : at.error());
  access.access = nanoseconds(*at);
  access.wait = nanoseconds(*wait);
  return access;
}

result<std::uint32_t> index_of(const json& from, const char* name) {
  const auto value = not_negative(from, name);
  if (!value) return tl::unexpected(value.error());
  if (*value > UINT32_MAX) return fail(errc::corrupt, std::string("\"") + name + "\" is out of range");
  return static_cast<std::uint32_t>(*value);
}

/// The items of an array member, each read by `read`.
template <class Item, class Read>
result<std::vector<Item>> items(const json& from, const char* name, Read read) {
  const auto& list = detail::member(from, name);
  if (!list.is_array()) return fail(errc::corrupt, std::string("\"") + name + "\" is no list");
  std::vector<Item> all;
  all.reserve(list.size());
  for (const auto& one : list) {
    auto item = read(one);
    if (!item) return tl::unexpected(item.error());
    all.push_back(std::move(*item));
  }
  return all;
}

result<group_access> ranked_access_of(const json& from, std::size_t images) {
  auto access = access_of(from);
  if (!access) return access;
  const auto rank = index_of(from, "r");
  const auto image = index_of(from, "s");
  if (!rank || !image) return tl::unexpected(rank ? image.error() : rank.error());
  if (*image >= images) return fail(errc::corrupt, "\"s\" names an image that the group does not have");
  access->rank = *rank;
  access->image = *image;
  return access;
}

result<optimised_group> group_of(const json& from) {
  auto images = items<named_image>(from, "i", image_of);
  if (!images) return tl::unexpected(images.error());
  auto accesses =
      items<group_access>(from, "h", [&](const json& one) { return ranked_access_of(one, images->size()); });
  if (!accesses) return tl::unexpected(accesses.error());
  return optimised_group{std::move(*images), std::move(*accesses)};
}

}  // namespace

std::string rfc3339(nanoseconds since_epoch) {
  const auto days = std::chrono::floor<std::chrono::days>(since_epoch);
  const std::chrono::year_month_day date{std::chrono::sys_days(days)};
  const std::chrono::hh_mm_ss time(since_epoch - days);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  std::string out = text;
  if (auto fraction = time.subseconds().count(); fraction != 0) {
    std::snprintf(text, sizeof text, ".%09lld", static_cast<long long>(fraction));
    out += text;
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + "Z";
}

namespace {

/// As its format is: '0' stands for any digit, all else for itself.
bool is_shaped(std::string_view text, std::string_view format) {
  return std::equal(text.begin(), text.end(), format.begin(), format.end(), [](char letter, char shape) {
    return shape == '0' ? letter >= '0' && letter <= '9' : letter == shape;
  });
}

}  // namespace

result<nanoseconds> parse_rfc3339(std::string_view text) {
  const auto wrong = [&] {
    return fail(errc::corrupt, "'" + std::string(text) + "' is no time of RFC 3339");
  };
  const std::string copy(text);
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int used = 0;
  const auto head = text.substr(0, 19);
  if ((!is_shaped(head, "0000-00-00T00:00:00") && !is_shaped(head, "0000-00-00t00:00:00")) ||
      std::sscanf(copy.c_str(), "%4d-%2u-%2u%*1[Tt]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                  &second, &used) != 6 ||
      used != 19)
    return wrong();
  auto rest = text.substr(static_cast<std::size_t>(used));
  std::int64_t fraction = 0;
  if (rest.starts_with('.')) {
    const auto end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end < 2 || end > 10) return wrong();
    auto digits = std::string(rest.substr(1, end - 1));
    digits.resize(9, '0');
    fraction = std::stoll(digits);
    rest.remove_prefix(end);
  }
  int offset = 0;
  if (rest != "Z" && rest != "z") {
    int hours = 0;
    int minutes = 0;
    const std::string zone(rest);
    if ((!is_shaped(zone, "+00:00") && !is_shaped(zone, "-00:00")) ||
        std::sscanf(zone.c_str() + 1, "%2d:%2d", &hours, &minutes) != 2)
      return wrong();
    offset = (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || year < 1970 || year > 2261 || hour > 23 || minute > 59 || second > 60) return wrong();
  const auto since = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                     std::chrono::minutes(minute - offset) + std::chrono::seconds(second);
  return nanoseconds(since) + nanoseconds(fraction);
}

std::string trace_file_json(const trace_file& file) {
  ordered out;
  out["group"] = file.group;
  out["image"] = ordered{{"n", file.image.name}, {"t", file.image.tag}};
  out["start"] = rfc3339(file.started);
  out["seq"] = ordered::array();
  for (const auto& one : file.accesses)
    out["seq"].push_back(ordered{{"f", one.path}, {"a", one.access.count()}, {"w", one.wait.count()}});
  return as_text(out);
}

result<trace_file> parse_trace_file(std::string_view text) {
  const auto in = detail::parse_json_object(text, "trace");
  if (!in) return tl::unexpected(in.error());
  auto image = image_of(detail::member(*in, "image"));
  if (!image) return tl::unexpected(image.error());
  const auto started = parse_rfc3339(detail::text_member(*in, "start"));
  if (!started) return tl::unexpected(started.error());
  auto accesses = items<group_access>(*in, "seq", access_of);
  if (!accesses) return tl::unexpected(accesses.error());
  auto group = detail::text_member(*in, "group");
  return trace_file{group.empty() ? std::string(default_trace_group) : std::move(group), std::move(*image),
                    *started, std::move(*accesses)};
}

std::string collection_json(const std::vector<optimised_group>& groups) {
  ordered out;
  out["Groups"] = ordered::array();
  for (const auto& group : groups) {
    ordered one;
    one["h"] = ordered::array();
    for (const auto& access : group.accesses)
      one["h"].push_back(ordered{{"f", access.path},
                                 {"a", access.access.count()},
                                 {"w", access.wait.count()},
                                 {"r", access.rank},
                                 {"s", access.image}});
    one["i"] = ordered::array();
    for (const auto& image : group.images) one["i"].push_back(ordered{{"n", image.name}, {"t", image.tag}});
    out["Groups"].push_back(std::move(one));
  }
  return as_text(out);
}

result<std::vector<optimised_group>> parse_collection(std::string_view text) {
  const auto in = detail::parse_json_object(text, "collection");
  if (!in) return tl::unexpected(in.error());
  return items<optimised_group>(*in, "Groups", group_of);
}

bool is_collection(std::string_view text) {
  const auto in = detail::parse_json_object(text, "collection");
  return in && in->contains("Groups");
}

}  // namespace firstlight
