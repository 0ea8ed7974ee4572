#pragma once
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "test/harness/temporary_folder.hpp"

namespace firstlight {

/// A folder of programs that give logins. It is first in PATH while this lives.
class helper_folder {
 public:
  helper_folder() : path_before_(std::getenv("PATH")) {
    setenv("PATH", (folder_.path().string() + ":" + path_before_).c_str(), 1);
  }
  ~helper_folder() { setenv("PATH", path_before_.c_str(), 1); }
  helper_folder(const helper_folder&) = delete;
  helper_folder& operator=(const helper_folder&) = delete;

  [[nodiscard]] std::filesystem::path path() const { return folder_.path(); }
  /// A program in the shell's language.
  void program(const std::string& name, const std::string& script) const {
    const auto file = (folder_.path() / name).string();
    std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
    chmod(file.c_str(), 0755);
  }
  /// A credential helper that carries `script` out with the server's name in $server.
  void helper(const std::string& name, const std::string& script) const {
    program("docker-credential-" + name, "[ \"$1\" = get ] || exit 9\nread -r server\n" + script);
  }
  [[nodiscard]] std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text;
    return folder_.path() / name;
  }

 private:
  temporary_folder folder_;
  std::string path_before_;
};

}  // namespace firstlight
