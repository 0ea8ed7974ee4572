#include "apps/console/console.hpp"
#include "apps/daemon_service.hpp"
#include "apps/daemon_settings.hpp"
#include "apps/hub.hpp"
#include "apps/keeper.hpp"
#include "apps/node.hpp"
#include "apps/pki.hpp"

namespace {

template <class Options, class Start>
auto daemon(const char* name, Start start) {
  return [name, start](const firstlight::settings_arguments& in) -> firstlight::result<int> {
    const auto options = firstlight::load_settings<Options>(in);
    if (!options) return tl::unexpected(options.error());
    return firstlight::serve(name, options->log_level, [&] { return start(*options); });
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto ended = firstlight::run_as_keeper(argc, argv)) return *ended;
  return firstlight::run_command_line(
      argc, argv,
      {.hub = daemon<firstlight::hub_options>("hub", firstlight::start_hub),
       .node = daemon<firstlight::node_options>("node", firstlight::start_node),
       .pki_init = firstlight::init_pki,
       .pki_issue = firstlight::issue_pki_certificate,
       .console = firstlight::run_console});
}
