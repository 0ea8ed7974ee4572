#include "model/startup_files.hpp"

#include <algorithm>
#include <array>

namespace firstlight {
namespace {

/// Modules of Python's library that an interpreter imports before the first line of a program, and those that
/// nearly every program imports next.
constexpr std::array python_modules{"encodings/__init__",
                                    "codecs",
                                    "encodings/aliases",
                                    "encodings/utf_8",
                                    "encodings/latin_1",
                                    "encodings/ascii",
                                    "abc",
                                    "io",
                                    "site",
                                    "os",
                                    "stat",
                                    "_collections_abc",
                                    "posixpath",
                                    "genericpath",
                                    "_sitebuiltins",
                                    "sitecustomize",
                                    "importlib/__init__",
                                    "importlib/_bootstrap",
                                    "importlib/util",
                                    "importlib/machinery",
                                    "importlib/_abc",
                                    "contextlib",
                                    "collections/__init__",
                                    "collections/abc",
                                    "keyword",
                                    "operator",
                                    "reprlib",
                                    "functools",
                                    "types",
                                    "enum",
                                    "re/__init__",
                                    "re/_compiler",
                                    "re/_parser",
                                    "re/_constants",
                                    "re/_casefix",
                                    "copyreg",
                                    "warnings",
                                    "linecache",
                                    "tokenize",
                                    "token",
                                    "traceback",
                                    "textwrap",
                                    "string",
                                    "weakref",
                                    "_weakrefset",
                                    "heapq",
                                    "threading",
                                    "runpy",
                                    "pkgutil",
                                    "typing",
                                    "locale",
                                    "signal",
                                    "struct",
                                    "datetime",
                                    "random",
                                    "json/__init__",
                                    "json/decoder",
                                    "json/encoder",
                                    "json/scanner",
                                    "logging/__init__",
                                    "argparse",
                                    "subprocess",
                                    "socket",
                                    "selectors",
                                    "ssl",
                                    "inspect",
                                    "dis",
                                    "opcode",
                                    "ast",
                                    "pathlib",
                                    "fnmatch",
                                    "urllib/__init__",
                                    "urllib/parse",
                                    "shutil",
                                    "tempfile",
                                    "bisect",
                                    "base64",
                                    "calendar",
                                    "copy",
                                    "hashlib",
                                    "numbers",
                                    "socketserver",
                                    "mimetypes",
                                    "html/__init__",
                                    "html/entities",
                                    "uuid",
                                    "platform",
                                    "queue",
                                    "zipfile",
                                    "bz2",
                                    "lzma",
                                    "gzip",
                                    "_compression"};

/// Packages that are imported as a whole, and modules in C with the libraries that these need.
constexpr std::array python_packages{"http",       "urllib",  "email",
                                     "concurrent", "asyncio", "importlib/metadata"};
constexpr std::array python_extensions{"_json",    "_ssl",         "_hashlib", "_bz2",  "_lzma",
                                       "_asyncio", "_contextvars", "_queue",   "_uuid", "_opcode"};

constexpr std::array perl_modules{"strict.pm",    "warnings.pm",   "vars.pm",   "Exporter.pm",
                                  "Carp.pm",      "XSLoader.pm",   "Config.pm", "constant.pm",
                                  "overload.pm",  "utf8.pm",       "POSIX.pm",  "File/Basename.pm",
                                  "File/Spec.pm", "Getopt/Long.pm"};

bool is_version(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/// "python3.11" -> "python".
std::string_view without_version(std::string_view name) {
  while (!name.empty() && is_version(name.back())) name.remove_suffix(1);
  return name;
}

std::vector<std::string> python_files(std::string_view program) {
  std::string folder(program);
  if (folder.find('.') == std::string::npos) folder = "python3.*";
  const auto lib = "../lib/" + folder + "/";
  std::vector<std::string> files{"../pyvenv.cfg"};
  for (const std::string_view module : python_modules) {
    const auto name =
        module.substr(module.rfind('/') + 1);  // rfind gives npos, and npos + 1 is 0, without '/'
    const auto parent = module.substr(0, module.size() - name.size());
    files.push_back(lib + std::string(parent) + "__pycache__/" + std::string(name) + ".cpython-*.pyc");
    files.push_back(lib + std::string(module) + ".py");
  }
  for (const std::string_view package : python_packages) {
    files.push_back(lib + std::string(package) + "/__pycache__/*.pyc");
    files.push_back(lib + std::string(package) + "/*.py");
  }
  for (const std::string_view extension : python_extensions)
    files.push_back(lib + "lib-dynload/" + std::string(extension) + ".*");
  for (const auto* packages : {"dist-packages", "site-packages"}) files.push_back(lib + packages + "/*.pth");
  files.emplace_back("../../lib/python3/dist-packages/*.pth");
  files.emplace_back("/etc/python3*/sitecustomize.py");
  return files;
}

std::vector<std::string> perl_files() {
  std::vector<std::string> files;
  for (const auto* module : perl_modules)
    for (const std::string_view folder :
         {"/usr/lib/*/perl-base/", "/usr/share/perl/*/", "/usr/lib/*/perl/*/", "/usr/local/lib/perl5/*/"})
      files.push_back(std::string(folder) + module);
  return files;
}

std::vector<std::string> java_files() {
  return {"../lib/jvm.cfg",
          "../lib/libjli.so",
          "../lib/server/libjvm.so",
          "../release",
          "../lib/server/classes.jsa",
          "../lib/libjimage.so",
          "../lib/libjava.so",
          "../lib/libjsvml.so",
          "../lib/modules",
          "../lib/libnio.so",
          "../lib/libnet.so",
          "../lib/libzip.so",
          "../lib/libverify.so",
          "../lib/libextnet.so",
          "../lib/tzdb.dat",
          "../conf/security/java.security",
          "../conf/net.properties",
          "../conf/logging.properties",
          "/etc/java-*/security/java.security",
          "/etc/ssl/certs/java/cacerts"};
}

}  // namespace

const std::vector<std::string>& first_startup_files() {
  static const std::vector<std::string> files{"/etc/passwd", "/etc/group", "/etc/ld.so.preload",
                                              "/etc/ld.so.cache"};
  return files;
}

const std::vector<std::string>& common_startup_files() {
  static const std::vector<std::string> files{
      "/etc/nsswitch.conf",
      "/etc/hosts",
      "/etc/host.conf",
      "/etc/resolv.conf",
      "/etc/localtime",
      "/etc/timezone",
      "/usr/lib/locale/locale-archive",
      "/usr/lib/locale/C.utf8/*",
      "/usr/lib/locale/C.utf8/LC_MESSAGES/*",
      "/usr/share/locale/locale.alias",
      "/usr/lib/*-linux-gnu/gconv/gconv-modules.cache",
      "/usr/share/zoneinfo/Etc/UTC",
      "/etc/services",
      "/etc/protocols",
      "/etc/ssl/openssl.cnf",
      "/usr/lib/ssl/openssl.cnf",
      "/etc/gai.conf",
      "/lib/*-linux-gnu/libnss_files.so.2",
      "/lib/*-linux-gnu/libnss_dns.so.2",
      "/lib/*-linux-gnu/libnss_compat.so.2",
  };
  return files;
}

std::vector<std::string> runtime_startup_files(std::string_view program) {
  const auto name = without_version(program);
  if (name == "python" || name == "pypy") return python_files(program);
  if (name == "perl") return perl_files();
  if (name == "java") return java_files();
  if (name == "node" || name == "nodejs")
    return {"/usr/share/nodejs/acorn/dist/*.js",
            "/usr/share/nodejs/acorn-walk/dist/*.js",
            "/usr/share/nodejs/cjs-module-lexer/*.js",
            "/usr/share/nodejs/cjs-module-lexer/dist/*.js",
            "/usr/share/nodejs/undici/undici-fetch.js",
            "/usr/share/nodejs/*/package.json",
            "/etc/ssl/openssl.cnf",
            "/usr/lib/ssl/openssl.cnf"};
  if (name == "php" || name == "php-fpm")
    return {"../etc/php/php.ini",      "../etc/php/conf.d/*",    "/etc/php/*/cli/php.ini",
            "/etc/php/*/cli/conf.d/*", "/etc/php/*/fpm/php.ini", "/etc/php/*/fpm/conf.d/*",
            "/usr/lib/php/*/*.so"};
  if (name == "ruby")
    return {"../lib/ruby/*/rubygems.rb", "../lib/ruby/*/rubygems/*.rb", "/usr/lib/ruby/*/rubygems.rb",
            "/usr/lib/ruby/vendor_ruby/rubygems.rb", "/usr/lib/ruby/vendor_ruby/rubygems/*.rb"};
  if (name == "bash") return {"/etc/terminfo/*/dumb", "/lib/terminfo/*/dumb"};
  return {};
}

std::vector<std::string> configuration_files(std::string_view program) {
  std::vector<std::string> stems{std::string(program)};
  const auto add = [&](std::string_view stem) {
    if (stem.size() > 1 && std::find(stems.begin(), stems.end(), stem) == stems.end())
      stems.emplace_back(stem);
  };
  add(without_version(program));
  for (const std::string_view suffix : {"-server", "_server", "-daemon", "d"})
    if (program.ends_with(suffix)) add(program.substr(0, program.size() - suffix.size()));
  std::vector<std::string> patterns;
  for (const auto& stem : stems)
    for (const auto* ending :
         {"", ".conf", ".cfg", ".ini", "/*", ".d/*", "/conf.d/*", "/modules-enabled/*", "/sites-enabled/*"})
      patterns.push_back("/etc/" + stem + ending);
  return patterns;
}

}  // namespace firstlight
