#include "apps/daemon_settings.hpp"

namespace firstlight {

void add_settings_options(CLI::App& command, settings_arguments& in, const std::string& daemon) {
  in.default_file = "/etc/firstlight/" + daemon + ".json";
  command.add_option("--config", in.file, "config file (default: " + in.default_file + " if it is there)")
      ->type_name("FILE");
  command
      .add_option("--set", in.assignments,
                  "change one setting; may be repeated; 'firstlight config reference' lists them")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  if (daemon != "hub") return;
  command
      .add_option("--peer", in.peers,
                  "another hub with which traces are exchanged, beside those of the setting peers; may be "
                  "repeated")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
}

}  // namespace firstlight
