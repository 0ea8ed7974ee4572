#include "apps/exit_code.hpp"

namespace firstlight {

exit_code to_exit_code(errc code) {
  switch (code) {
    case errc::invalid_argument:
      return exit_code::usage;
    case errc::not_found:
      return exit_code::not_found;
    case errc::unavailable:
    case errc::busy:
    case errc::not_ready:
      return exit_code::unavailable;
    case errc::timed_out:
      return exit_code::timed_out;
    case errc::denied:
      return exit_code::denied;
    case errc::already_exists:
      return exit_code::exists;
    case errc::no_space:
    case errc::limit_exceeded:
      return exit_code::no_space;
    case errc::corrupt:
    case errc::io:
    case errc::unsupported:
    case errc::cancelled:
    case errc::failed_precondition:
    case errc::protocol:
      break;
  }
  return exit_code::failed;
}

const std::vector<exit_code_row>& exit_code_table() {
  static const std::vector<exit_code_row> rows{
      {exit_code::ok, "done"},
      {exit_code::failed, "failed; the line on standard error says why"},
      {exit_code::usage, "the command line or a setting is wrong"},
      {exit_code::not_found, "no such image, mount, layer or file"},
      {exit_code::unavailable, "daemon, hub or registry cannot be reached or is busy; try again"},
      {exit_code::timed_out, "a time limit passed"},
      {exit_code::denied, "no right to do that"},
      {exit_code::exists, "the name is taken"},
      {exit_code::no_space, "the disk or a limit is full"},
      {exit_code::run_failed,
       "'firstlight run' failed before or beside the program; its own exit code is passed on"},
  };
  return rows;
}

}  // namespace firstlight
