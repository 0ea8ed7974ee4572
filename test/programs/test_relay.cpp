#include <charconv>
#include <iostream>
#include <sstream>

#include "test/harness/relay.hpp"

/// A TCP relay for end-to-end tests: `test_relay LISTEN_PORT TARGET_PORT`, both on 127.0.0.1 (LISTEN_PORT 0:
/// any). Prints "port N", then obeys one command a line and answers each with one line, "ok" or what was
/// asked:
///   delay MICROSECONDS_ONE_WAY | rate BYTES_PER_SECOND | late on|off | stop | resume | cut | close | accept
///   on|off flip OFFSET | target PORT | count | quit
/// The end of its input ends it.
namespace {

using firstlight::test::relay;

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument("not a number: " + text);
  return value;
}

std::string obey(relay& link, const std::string& command, const std::string& value) {
  if (command == "delay")
    link.delay(std::chrono::microseconds(number(value)));
  else if (command == "rate")
    link.rate(number(value));
  else if (command == "late")
    link.connects_late(value == "on");
  else if (command == "stop")
    link.stop();
  else if (command == "resume")
    link.resume();
  else if (command == "cut")
    link.cut(relay::cut_how::reset);
  else if (command == "close")
    link.cut(relay::cut_how::close);
  else if (command == "accept")
    link.accept_new(value == "on");
  else if (command == "flip")
    link.flip_bit_to_client(number(value));
  else if (command == "target")
    link.retarget(static_cast<std::uint16_t>(number(value)));
  else if (command == "count")
    return std::to_string(link.bytes_to_client()) + " " + std::to_string(link.bytes_to_server()) + " " +
           std::to_string(link.connections_seen()) + " " + std::to_string(link.connections_open());
  else
    return "unknown command " + command;
  return "ok";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: test_relay LISTEN_PORT TARGET_PORT\n";
    return 2;
  }
  try {
    relay link(static_cast<std::uint16_t>(number(argv[2])), static_cast<std::uint16_t>(number(argv[1])));
    std::cout << "port " << link.port() << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string command;
      std::string value;
      words >> command >> value;
      if (command == "quit") break;
      std::cout << obey(link, command, value) << std::endl;
    }
  } catch (const std::exception& failed) {
    std::cerr << "test_relay: " << failed.what() << "\n";
    return 1;
  }
  return 0;
}
