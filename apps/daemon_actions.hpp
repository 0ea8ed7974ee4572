#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/result.hpp"

namespace firstlight {

/// --config and --set, as hub, node and config have them; of hubs also --peer.
struct settings_arguments {
  std::string file;          ///< what the user named
  std::string default_file;  ///< read when it is there
  std::vector<std::string> assignments;
  std::vector<std::string> peers;  ///< further ones than the setting `peers` names
};

struct pki_init_arguments {
  std::string folder = "/etc/firstlight/pki";
  bool json = false;
};

struct pki_issue_arguments {
  std::string folder = "/etc/firstlight/pki";
  std::string role;
  std::string name;
  std::vector<std::string> hosts;
  bool json = false;
};

struct console_arguments {
  std::string history;  ///< file; empty: none
  std::string hub;      ///< host:port of a hub on another machine; empty: that of this one
  std::string node;     ///< host:port of a node's admin_listen on another machine; empty: that of this one
  std::string ca = "/etc/firstlight/pki/ca.crt";
  std::string certificate = "/etc/firstlight/pki/admin.crt";
  std::string key = "/etc/firstlight/pki/admin.key";
  std::vector<std::string> words;  ///< one command instead of a dialogue
};

/// What the commands do that need the daemons' libraries. Each is handed in and returns an exit code: the
/// tree of commands needs none of these libraries.
struct daemon_actions {
  std::function<result<int>(const settings_arguments&)> hub;
  std::function<result<int>(const settings_arguments&)> node;
  std::function<result<int>(const pki_init_arguments&)> pki_init;
  std::function<result<int>(const pki_issue_arguments&)> pki_issue;
  std::function<result<int>(const console_arguments&)> console;
};

}  // namespace firstlight
