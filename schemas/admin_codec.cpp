#include <capnp/dynamic.h>

#include "schemas/admin.capnp.h"
#include "schemas/admin_fields.hpp"
#include "schemas/capnp_message.hpp"

namespace firstlight {
namespace detail {
namespace {

/// "bytes_ready" here is "bytesReady" in the schema.
std::string camel_case(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool start = name[i] == '_' && i + 1 < name.size();
    out += start ? static_cast<char>(name[++i] - 'a' + 'A') : name[i];
  }
  return out;
}

capnp::Text::Reader text(const std::string& value) {
  return {value.data(), value.size()};
}

capnp::Data::Reader data(const secret_text& secret) {
  return {reinterpret_cast<const capnp::byte*>(secret.view().data()), secret.view().size()};
}

class writer {
 public:
  static constexpr bool writes = true;
  explicit writer(capnp::DynamicStruct::Builder into) : into_(into) {}

  void operator()(const char* name, const std::string& value) { into_.set(camel_case(name), text(value)); }
  void operator()(const char* name, const secret_text& value) { into_.set(camel_case(name), data(value)); }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void operator()(const char* name, Number value) { into_.set(camel_case(name), value); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(const char* name, Enum value) {
    const auto field = into_.getSchema().getFieldByName(camel_case(name));
    into_.set(field, capnp::DynamicEnum(field.getType().asEnum(), static_cast<std::uint16_t>(value)));
  }
  template <class Struct>
  requires(std::is_class_v<Struct>) void operator()(const char* name, const Struct& value) {
    writer inner(into_.init(camel_case(name)).as<capnp::DynamicStruct>());
    fields(inner, value);
  }
  template <class Item>
  void operator()(const char* name, const std::vector<Item>& items) {
    auto list =
        into_.init(camel_case(name), static_cast<unsigned>(items.size())).template as<capnp::DynamicList>();
    for (unsigned i = 0; i < list.size(); ++i) put(list, i, items[i]);
  }

 private:
  static void put(capnp::DynamicList::Builder& list, unsigned i, const std::string& item) {
    list.set(i, text(item));
  }
  template <class Struct>
  static void put(capnp::DynamicList::Builder& list, unsigned i, const Struct& item) {
    writer inner(list[i].as<capnp::DynamicStruct>());
    fields(inner, item);
  }

  capnp::DynamicStruct::Builder into_;
};

class reader {
 public:
  static constexpr bool writes = false;
  explicit reader(capnp::DynamicStruct::Reader from) : from_(from) {}

  void operator()(const char* name, std::string& value) { take(from_.get(camel_case(name)), value); }
  void operator()(const char* name, secret_text& value) {
    const auto raw = from_.get(camel_case(name)).as<capnp::Data>();
    value = secret_text({reinterpret_cast<const char*>(raw.begin()), raw.size()});
  }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void operator()(const char* name, Number& value) { value = from_.get(camel_case(name)).as<Number>(); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(const char* name, Enum& value) {
    const auto raw = from_.get(camel_case(name)).template as<capnp::DynamicEnum>();
    KJ_REQUIRE(raw.getEnumerant() != nullptr, "unknown enumerator", name, raw.getRaw());
    value = static_cast<Enum>(raw.getRaw());
  }
  template <class Struct>
  requires(std::is_class_v<Struct>) void operator()(const char* name, Struct& value) {
    take(from_.get(camel_case(name)), value);
  }
  template <class Item>
  void operator()(const char* name, std::vector<Item>& items) {
    const auto list = from_.get(camel_case(name)).template as<capnp::DynamicList>();
    items.resize(list.size());
    for (unsigned i = 0; i < list.size(); ++i) take(list[i], items[i]);
  }

 private:
  static void take(const capnp::DynamicValue::Reader& from, std::string& value) {
    const auto raw = from.as<capnp::Text>();
    value.assign(raw.begin(), raw.size());
  }
  template <class Struct>
  static void take(const capnp::DynamicValue::Reader& from, Struct& value) {
    reader inner(from.as<capnp::DynamicStruct>());
    fields(inner, value);
  }

  capnp::DynamicStruct::Reader from_;
};

// The alternatives of each variant and of its union in the schema stand in the same order.

template <class Root, class Variant>
shared_bytes encode_alternative(const Variant& value) {
  capnp::MallocMessageBuilder message;
  const capnp::DynamicStruct::Builder root(message.initRoot<Root>());
  const auto alternative = capnp::Schema::from<Root>().getUnionFields()[static_cast<unsigned>(value.index())];
  writer into(capnp::DynamicStruct::Builder(root).init(alternative).template as<capnp::DynamicStruct>());
  std::visit([&](const auto& of) { fields(into, of); }, value);
  return share(flat_bytes(message));
}

template <class Variant, std::size_t I = 0>
Variant make_alternative(std::size_t index) {
  if constexpr (I + 1 < std::variant_size_v<Variant>) {
    if (index != I) return make_alternative<Variant, I + 1>(index);
  }
  return Variant(std::in_place_index<I>);
}

template <class Root, class Variant>
result<Variant> decode_alternative(bytes_view message) {
  return decode_message<Root>(message, [](typename Root::Reader typed) -> result<Variant> {
    const capnp::DynamicStruct::Reader root(typed);
    KJ_IF_MAYBE (alternative, root.which()) {
      auto value = make_alternative<Variant>(alternative->getProto().getDiscriminantValue());
      reader from(root.get(*alternative).template as<capnp::DynamicStruct>());
      std::visit([&](auto& into) { fields(from, into); }, value);
      return value;
    }
    return fail(errc::corrupt, "message of an unknown kind; do program and daemon have the same version?");
  });
}

}  // namespace
}  // namespace detail

shared_bytes encode(const admin_request& request) {
  return detail::encode_alternative<wire::admin::AdminRequest>(request);
}

shared_bytes encode(const admin_reply& reply) {
  return detail::encode_alternative<wire::admin::AdminReply>(reply);
}

shared_bytes encode(const admin_progress& progress) {
  capnp::MallocMessageBuilder message;
  detail::writer into(capnp::DynamicStruct::Builder(message.initRoot<wire::admin::Progress>()));
  detail::fields(into, progress);
  return share(detail::flat_bytes(message));
}

result<admin_request> decode_admin_request(bytes_view message) {
  return detail::decode_alternative<wire::admin::AdminRequest, admin_request>(message);
}

result<admin_reply> decode_admin_reply(bytes_view message) {
  return detail::decode_alternative<wire::admin::AdminReply, admin_reply>(message);
}

result<admin_progress> decode_admin_progress(bytes_view message) {
  return detail::decode_message<wire::admin::Progress>(
      message, [](wire::admin::Progress::Reader typed) -> result<admin_progress> {
        admin_progress progress;
        detail::reader from{capnp::DynamicStruct::Reader(typed)};
        detail::fields(from, progress);
        return progress;
      });
}

}  // namespace firstlight
