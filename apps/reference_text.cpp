#include "apps/reference_text.hpp"

#include "config/settings.hpp"

namespace firstlight {
namespace {

template <class Options>
std::string rows() {
  std::string text = "| name | kind | default | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& one : describe(Options{})) {
    const auto value = one.value.empty() ? "" : "`" + one.value + "`";
    text += "| `" + one.name + "` | " + one.kind + " | " + value + " | " + one.doc + " |\n";
  }
  return text;
}

}  // namespace

std::string settings_reference() {
  return "# Settings\n\n"
         "Made by `firstlight config reference`; a test keeps it in step with the program. The hub reads\n"
         "`/etc/firstlight/hub.json`, the node `/etc/firstlight/node.json`, or what `--config FILE` names; "
         "`--set NAME=VALUE`\n"
         "is stronger. In a file, dots are nested objects: `{\"link\": {\"silence_max\": \"10s\"}}`. "
         "Durations are written as in\n"
         "`250ms`, `10s`, `5m`, `2h`; sizes as in `4096`, `64KiB`, `64MiB`, `8GiB` or `500GB`; lists as JSON "
         "arrays of texts,\n"
         "after `--set` separated by commas. An unknown name is an error.\n\n"
         "## Hub\n\n" +
         rows<hub_options>() + "\n## Node\n\n" + rows<node_options>();
}

std::string settings_reference_json() {
  return R"({"hub":)" + describe_as_json(hub_options{}) + R"(,"node":)" + describe_as_json(node_options{}) +
         "}";
}

}  // namespace firstlight
