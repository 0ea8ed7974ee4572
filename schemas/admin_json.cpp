#include <cstdio>

#include "model/utf8.hpp"
#include "schemas/admin_fields.hpp"

namespace firstlight {
namespace detail {
namespace {

void append_escaped(std::string& out, char plain) {
  switch (plain) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(plain) >= 0x20) {
    out += plain;
    return;
  }
  char code[8];
  std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(plain));
  out += code;
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto length = utf8_sequence_bytes(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (length == 1) {
      append_escaped(out, text[0]);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

class json_writer {
 public:
  static constexpr bool writes = true;
  explicit json_writer(std::string& out) : out_(out) {}

  template <class Value>
  void operator()(const char* name, const Value& value) {
    out_ += first_ ? "" : ",";
    first_ = false;
    append_text(out_, name);
    out_ += ':';
    put(value);
  }

 private:
  void put(const std::string& value) { append_text(out_, value); }
  void put(const secret_text&) { out_ += "null"; }
  void put(bool value) { out_ += value ? "true" : "false"; }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void put(Number value) { out_ += std::to_string(value); }
  template <class Item>
  void put(const std::vector<Item>& items) {
    out_ += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      out_ += i == 0 ? "" : ",";
      put(items[i]);
    }
    out_ += ']';
  }
  template <class Struct>
  requires(std::is_class_v<Struct>) void put(const Struct& value) {
    out_ += '{';
    json_writer inner(out_);
    fields(inner, value);
    out_ += '}';
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace
}  // namespace detail

std::string to_json(const admin_reply& reply) {
  std::string out = "{";
  detail::json_writer into(out);
  std::visit([&](const auto& of) { detail::fields(into, of); }, reply);
  return out + "}";
}

std::string sessions_json(const std::vector<admin_session>& sessions) {
  std::string out = "{";
  detail::json_writer into(out);
  into("sessions", sessions);
  return out + "}";
}

}  // namespace firstlight
