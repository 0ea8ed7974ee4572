#include "schemas/image_config_json.hpp"

#include "schemas/json.hpp"

namespace firstlight {
namespace {

using detail::json;
using detail::member;

result<void> read_process(const json& process, image_config& config) {
  struct list {
    const char* name;
    std::vector<std::string>& into;
  };
  for (const auto& [name, into] : {list{"Entrypoint", config.entrypoint}, list{"Cmd", config.command},
                                   list{"Env", config.environment}}) {
    auto texts = detail::texts_member(process, name);
    if (!texts) return fail(texts.error(), "image configuration");
    into = std::move(*texts);
  }
  config.user = detail::text_member(process, "User");
  config.working_directory = detail::text_member(process, "WorkingDir");
  return {};
}

result<std::vector<digest>> read_diff_ids(const json& root) {
  auto texts = detail::texts_member(member(root, "rootfs"), "diff_ids");
  if (!texts) return fail(texts.error(), "image configuration");
  std::vector<digest> ids;
  for (const auto& text : *texts) {
    auto id = parse_oci_digest(text);
    if (!id) return fail(id.error(), "image configuration: diff id");
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace

result<image_config> parse_image_config(std::string_view text) {
  auto root = detail::parse_json_object(text, "the image configuration");
  if (!root) return tl::unexpected(root.error());
  image_config config;
  config.target = {.os = detail::text_member(*root, "os"),
                   .architecture = detail::text_member(*root, "architecture"),
                   .variant = detail::text_member(*root, "variant")};
  if (auto ok = read_process(member(*root, "config"), config); !ok) return tl::unexpected(ok.error());
  auto ids = read_diff_ids(*root);
  if (!ids) return tl::unexpected(ids.error());
  config.diff_ids = std::move(*ids);
  return config;
}

}  // namespace firstlight
