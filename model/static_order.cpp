#include "model/static_order.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "model/runs.hpp"
#include "model/shebang.hpp"
#include "model/startup_files.hpp"
#include "model/tree_glob.hpp"

namespace firstlight {
namespace {

constexpr std::string_view default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::uint32_t head_bytes = 256;

std::string_view variable(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string_view setting : environment)
    if (setting.starts_with(name) && setting.substr(name.size()).starts_with('='))
      return setting.substr(name.size() + 1);
  return {};
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_shell(std::string_view program) {
  for (const std::string_view shell : {"sh", "bash", "dash", "ash", "busybox", "zsh", "ksh"})
    if (program == shell) return true;
  return false;
}

/// Follows a start through the image and notes the files that it reads.
class guess {
 public:
  guess(const image_tree& tree, block_geometry geometry, const image_config& config,
        const content_reader& read, const static_order_limits& limits)
      : paths_(tree),
        geometry_(geometry),
        config_(config),
        read_(read),
        limits_(limits),
        libraries_(
            paths_, [this](std::uint32_t inode) { return text(inode); },
            variable(config.environment, "LD_LIBRARY_PATH"), limits.libraries) {
    const auto folder = paths_.locate(config.working_directory);
    working_directory_ = folder ? folder->inode : 0;
    split_path(variable(config.environment, "PATH"));
    if (path_.empty()) split_path(default_path);
  }

  content_order make() {
    auto arguments = config_.entrypoint;
    arguments.insert(arguments.end(), config_.command.begin(), config_.command.end());
    note_all(first_startup_files(), 0);
    for (const auto& argument : arguments) follow_argument(argument);
    if (arguments.empty()) follow_program("/bin/sh", 0);
    flush(library_code_);
    note_all(common_startup_files(), 0);
    for (const auto& [name, folder] : programs_) note_all(configuration_files(name), folder);
    for (const auto folder : folders_) note_folder(folder);
    for (const auto& [name, folder] : programs_) note_all(runtime_startup_files(name), folder);
    flush(library_code_);
    flush(library_data_);
    order_.guessed_runs = order_.runs.size();
    return std::move(order_);
  }

 private:
  struct program {
    std::string name;
    std::uint32_t folder = 0;
  };

  [[nodiscard]] const image_inode& inode(std::uint32_t number) const { return paths_.tree().inodes[number]; }
  [[nodiscard]] const content_info& content(std::uint32_t number) const {
    return paths_.tree().contents[inode(number).content];
  }

  void split_path(std::string_view list) {
    while (!list.empty()) {
      const auto folder = list.substr(0, list.find(':'));
      if (!folder.empty()) path_.emplace_back(folder);
      list.remove_prefix(std::min(list.size(), folder.size() + 1));
    }
  }

  [[nodiscard]] std::string begin_of(std::uint32_t number, std::uint32_t bytes_max) const {
    const auto& file = content(number);
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(file.size, bytes_max));
    const auto bytes = read_(file, 0, length);
    return bytes ? text_of(*bytes) : std::string();
  }
  [[nodiscard]] std::string text(std::uint32_t number) const {
    return begin_of(number, limits_.text_bytes_max);
  }

  // ---- noting files ---------------------------------------------------------------------------

  /// @returns whether the file is new; then it is to be noted, unless there are too many files.
  bool begin_file(std::uint32_t number) {
    if (noted_.size() >= limits_.guessed_files_max) return false;
    return noted_.try_emplace(inode(number).content, geometry_.count(content(number).size)).second;
  }

  /// Blocks of a file that has begun, those that are not noted yet.
  void note_range(std::uint32_t number, const byte_range& range) {
    auto& blocks = noted_.at(inode(number).content);
    const auto end =
        std::min({range.offset + range.length, content(number).size, limits_.guessed_content_bytes_max});
    if (range.offset >= end) return;
    const auto first = static_cast<std::uint32_t>(range.offset / geometry_.block_bytes);
    const auto last = static_cast<std::uint32_t>((end - 1) / geometry_.block_bytes);
    for (const auto& run : blocks.missing(inode(number).content, first, last - first + 1))
      append_run(order_.runs, run);
    blocks.insert(first, last - first + 1);
  }

  void note_whole(std::uint32_t number) {
    if (begin_file(number)) note_range(number, {0, content(number).size});
  }

  /// Programs and the loader are read as they are; of libraries first what the loader reads and writes, of
  /// all of them, then their code, and constants of large ones at the end: much of that is never looked at.
  /// @returns whether the file is new
  bool note_program(std::uint32_t number, const elf_file& file) {
    if (!begin_file(number)) return false;
    for (const auto& part : file.loaded) note_range(number, part.range);
    return true;
  }
  bool note_mapped(std::uint32_t number, const elf_file& file) {
    if (!begin_file(number)) return false;
    const bool small = content(number).size <= limits_.small_library_bytes_max;
    for (const auto& part : file.loaded) {
      if (part.use == segment_use::head || part.use == segment_use::writable)
        note_range(number, part.range);
      else
        (part.use == segment_use::code || small ? library_code_ : library_data_)
            .push_back({number, part.range});
    }
    return true;
  }

  struct later_range {
    std::uint32_t inode = 0;
    byte_range range;
  };
  /// The smaller first: none waits long for them.
  void flush(std::vector<later_range>& later) {
    std::stable_sort(later.begin(), later.end(), [](const later_range& a, const later_range& b) {
      return a.range.length < b.range.length;
    });
    for (const auto& one : std::exchange(later, {})) note_range(one.inode, one.range);
  }

  void note_all(const std::vector<std::string>& patterns, std::uint32_t folder) {
    for (const auto& pattern : patterns)
      for (const auto& file : find_files(paths_, pattern, folder, limits_.pattern_files_max))
        if (!note_library(file)) note_whole(file.inode);
  }

  /// What a program is given as a folder holds its data: all files in it, as far as the limits go.
  void note_folder(std::uint32_t number) {
    std::deque<std::uint32_t> open{number};
    std::uint32_t left = limits_.argument_files_max;
    while (!open.empty() && left > 0) {
      const auto* folder = paths_.directory(open.front());
      open.pop_front();
      for (const auto& entry : folder->entries) {
        if (paths_.directory(entry.inode) != nullptr) open.push_back(entry.inode);
        if (inode(entry.inode).type != file_type::regular ||
            inode(entry.inode).content == image_inode::no_content)
          continue;
        if (content(entry.inode).size <= limits_.argument_file_bytes_max) note_whole(entry.inode);
        if (--left == 0) break;
      }
    }
  }

  // ---- programs -------------------------------------------------------------------------------

  [[nodiscard]] std::optional<tree_location> find_program(std::string_view name) const {
    const auto executable = [&](const result<tree_location>& file) {
      return file && (inode(file->inode).permissions & 0111) != 0;
    };
    if (name.empty() || name.size() > tree_paths::path_bytes_max) return std::nullopt;
    if (name.find('/') != std::string_view::npos) {
      const auto file = paths_.locate_file(name, working_directory_);
      return executable(file) ? std::optional(*file) : std::nullopt;
    }
    for (const auto& folder : path_)
      if (const auto file = paths_.locate_file(folder + "/" + std::string(name), working_directory_);
          executable(file))
        return *file;
    return std::nullopt;
  }

  /// A program, a file that a program is given, or the text of a shell command.
  void follow_argument(const std::string& argument) {
    if (follow_program(argument, 0)) return;
    const auto path = argument.substr(argument.find('=') + 1);  // of "config_file=/etc/x" the path
    if (const auto file = paths_.locate_file(path, working_directory_)) {
      if (!note_library(*file)) note_whole(file->inode);
      return;
    }
    if (const auto folder = paths_.locate(path, working_directory_);
        folder && folder->inode != 0 && path.find('/') != std::string::npos &&
        paths_.directory(folder->inode) != nullptr)
      folders_.push_back(folder->inode);
    if (argument.find(' ') != std::string::npos) follow_script(argument, 0);
  }

  void follow_script(std::string_view script, std::uint32_t depth) {
    for (const auto& command : shell_commands(script, limits_.script_commands_max))
      follow_program(command, depth);
  }

  bool follow_program(std::string_view name, std::uint32_t depth) {
    const auto file = find_program(name);
    if (!file) return false;
    if (noted_.contains(inode(file->inode).content) || depth > limits_.program_depth_max) return true;
    remember(*file);
    if (note_library(*file)) return true;
    note_whole(file->inode);
    if (const auto line = parse_shebang(begin_of(file->inode, head_bytes)))
      follow_shebang(*line, file->inode, depth);
    return true;
  }

  void follow_shebang(const shebang& line, std::uint32_t script, std::uint32_t depth) {
    follow_program(line.interpreter, depth + 1);
    const auto started = line.env_program().value_or(line.interpreter);
    follow_program(started, depth + 1);
    if (is_shell(std::string_view(started).substr(started.rfind('/') + 1)))
      follow_script(text(script), depth + 1);
  }

  /// Keeps the program's name as it lies in its folder, where runtimes carry their version.
  void remember(const tree_location& file) {
    const auto* folder = paths_.directory(file.directory);
    if (folder == nullptr) return;
    for (const auto& entry : folder->entries)
      if (entry.inode == file.inode) programs_.push_back({entry.name, file.directory});
  }

  // ---- libraries ------------------------------------------------------------------------------

  [[nodiscard]] result<elf_file> parse(std::uint32_t number) const {
    const auto& file = content(number);
    return parse_elf(
        file.size, [&](std::uint64_t offset, std::uint32_t length) { return read_(file, offset, length); },
        limits_.elf);
  }

  /// Notes an ELF file and all that the loader maps with it, breadth first as the loader does.
  /// @returns whether it is an ELF file.
  bool note_library(const tree_location& first) {
    const auto root = parse(first.inode);
    if (!root) return false;
    const bool starts = !root->interpreter.empty();
    if (!(starts ? note_program(first.inode, *root) : note_mapped(first.inode, *root))) return true;
    if (const auto loader = paths_.locate_file(root->interpreter); loader && starts)
      if (const auto parsed = parse(loader->inode)) note_program(loader->inode, *parsed);
    std::set<std::string> names;  // the loader takes a name once
    std::deque<std::pair<elf_file, std::uint32_t>> queue{{*root, first.directory}};
    while (!queue.empty()) {
      const auto [by, folder] = std::move(queue.front());
      queue.pop_front();
      for (const auto& name : by.needed)
        if (names.insert(name).second && lookups_++ < limits_.library_lookups_max)
          if (auto found = load(name, by, folder, *root)) queue.push_back(std::move(*found));
    }
    return true;
  }

  /// Notes the library that the loader would choose. @returns it if it is new.
  std::optional<std::pair<elf_file, std::uint32_t>> load(const std::string& name, const elf_file& by,
                                                         std::uint32_t folder, const elf_file& root) {
    for (const auto& place : libraries_.candidates(name, by, folder)) {
      const auto library = parse(place.inode);
      if (!library || library->machine != root.machine || library->word_bits != root.word_bits) continue;
      if (!note_mapped(place.inode, *library)) return std::nullopt;
      return std::pair(*library, place.directory);
    }
    return std::nullopt;
  }

  const tree_paths paths_;
  block_geometry geometry_;
  const image_config& config_;
  const content_reader& read_;
  const static_order_limits& limits_;
  library_search libraries_;
  std::uint32_t working_directory_ = 0;
  std::vector<std::string> path_;
  std::vector<program> programs_;
  std::vector<std::uint32_t> folders_;        ///< that the program is given
  std::map<std::uint32_t, block_set> noted_;  ///< by content: its blocks in the order
  std::vector<later_range> library_code_;
  std::vector<later_range> library_data_;
  std::uint32_t lookups_ = 0;
  content_order order_;
};

}  // namespace

content_order guess_order(const image_tree& tree, block_geometry geometry, const image_config& config,
                          const content_reader& read, const static_order_limits& limits) {
  if (tree.directories.empty()) return {};
  return guess(tree, geometry, config, read, limits).make();
}

}  // namespace firstlight
