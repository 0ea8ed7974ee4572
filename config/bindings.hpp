#pragma once
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "config/hub_options.hpp"
#include "config/node_options.hpp"
#include "model/quantity.hpp"
#include "model/result.hpp"

/// How names and texts meet the members of the option structs: one `bind` line a setting. Only for
/// the sources of this folder.
namespace firstlight::detail {

/// Refers to one member of an options object that outlives it.
struct binding {
  std::string name;
  std::string kind;
  std::string doc;
  std::function<std::string()> get;
  std::function<result<void>(std::string_view)> set;
};

class binder {
 public:
  /// Names that follow begin with `prefix`, e.g. "link.".
  void section(std::string prefix) { prefix_ = std::move(prefix); }

  void bind(const char* name, std::string& member, const char* doc);
  void bind(const char* name, std::filesystem::path& member, const char* doc);
  void bind(const char* name, std::vector<std::string>& member, const char* doc);
  void bind(const char* name, std::chrono::milliseconds& member, const char* doc);
  void bind(const char* name, bool& member, const char* doc);
  /// Numbers whose name speaks of bytes take size units; others are plain counts.
  void bind(const char* name, std::uint64_t& member, const char* doc) { number(name, member, doc); }
  void bind(const char* name, std::uint32_t& member, const char* doc) { number(name, member, doc); }
  void bind(const char* name, std::uint16_t& member, const char* doc) { number(name, member, doc); }

  [[nodiscard]] std::vector<binding> take() { return std::move(bindings_); }

 private:
  template <class Number>
  void number(const char* name, Number& member, const char* doc) {
    const bool size = std::string_view(name).find("bytes") != std::string_view::npos;
    add({name, size ? "size" : "count", doc,
         [&member, size] { return size ? format_bytes(member) : std::to_string(member); },
         [&member, size](std::string_view text) -> result<void> {
           constexpr auto most = std::numeric_limits<Number>::max();
           const auto value = size ? parse_bytes(text) : parse_count(text, most);
           if (!value) return tl::unexpected(value.error());
           if (*value > most)
             return fail(errc::invalid_argument, std::string(text) + " is above " + format_bytes(most));
           member = static_cast<Number>(*value);
           return {};
         }});
  }
  void add(binding one) {
    one.name = prefix_ + one.name;
    bindings_.push_back(std::move(one));
  }

  std::string prefix_;
  std::vector<binding> bindings_;
};

/// The table of each daemon.
std::vector<binding> bindings_of(hub_options& options);
std::vector<binding> bindings_of(node_options& options);

}  // namespace firstlight::detail
