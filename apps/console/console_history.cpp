#include "apps/console/console_history.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace firstlight {
namespace {

constexpr std::string_view first_line = "_HiStOrY_V2_\n";  // by which libedit knows its files

/// The file, open and locked until the end of its life.
class locked_file {
 public:
  locked_file(const std::filesystem::path& path, int flags, int lock)
      : number_(path.empty() ? -1 : open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    while (number_ >= 0 && flock(number_, lock) != 0 && errno == EINTR) continue;
  }
  ~locked_file() {
    if (number_ >= 0) close(number_);
  }
  locked_file(const locked_file&) = delete;
  locked_file& operator=(const locked_file&) = delete;

  [[nodiscard]] std::size_t bytes() const {
    struct stat found {};
    return number_ >= 0 && fstat(number_, &found) == 0 ? static_cast<std::size_t>(found.st_size) : 0;
  }
  /// Its last bytes, at most so many, from the beginning of a line.
  [[nodiscard]] std::string end(std::size_t bytes_max) const {
    const auto all = bytes();
    const auto from = all > bytes_max ? all - bytes_max : 0;
    std::string text(all - from, '\0');
    const auto got = pread(number_, text.data(), text.size(), static_cast<off_t>(from));
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (from == 0) return text;
    const auto newline = text.find('\n');
    return newline == std::string::npos ? std::string{} : text.substr(newline + 1);
  }
  /// One call, so that what a process writes is whole even if it ends here.
  void append(const std::string& text) const {
    if (number_ >= 0 && write(number_, text.data(), text.size()) < 0) return;
  }
  void empty() const {
    if (ftruncate(number_, 0) != 0) return;
  }

 private:
  int number_;
};

bool is_octal(char letter) {
  return letter >= '0' && letter <= '7';
}

/// Blanks, backslashes and all that cannot be seen become octal numbers, as libedit reads them.
std::string encoded(std::string_view line) {
  std::string text;
  for (const char letter : line) {
    const auto code = static_cast<unsigned char>(letter);
    if (code > ' ' && code < 0x7f && letter != '\\') {
      text += letter;
      continue;
    }
    text += '\\';
    for (const unsigned shift : {6U, 3U, 0U}) text += static_cast<char>('0' + ((code >> shift) & 7U));
  }
  return text;
}

std::string decoded(std::string_view text) {
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text.substr(i + 1, 3);
    if (text[i] == '\\' && code.size() == 3 && std::all_of(code.begin(), code.end(), is_octal)) {
      line += static_cast<char>((code[0] - '0') * 64 + (code[1] - '0') * 8 + (code[2] - '0'));
      i += 3;
    } else if (text[i] == '\\' && code.starts_with('\\')) {
      line += '\\';
      ++i;
    } else {
      line += text[i];
    }
  }
  return line;
}

}  // namespace

std::vector<std::string> console_history::lines() const {
  const locked_file file(file_, O_RDONLY, LOCK_SH);
  const auto text = file.end(file_bytes_max);
  std::vector<std::string> all;
  std::string_view rest = text;
  if (rest.starts_with(first_line)) rest.remove_prefix(first_line.size());
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    if (end > 0) all.push_back(decoded(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  if (all.size() > lines_max) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(lines_max));
  return all;
}

void console_history::add(std::string_view line) const {
  const locked_file file(file_, O_RDWR | O_APPEND | O_CREAT, LOCK_EX);
  const auto before = file.bytes();
  std::string text;
  if (before > file_bytes_max) text = file.end(file_bytes_max / 2);
  if (before > file_bytes_max) file.empty();
  if (before == 0 || before > file_bytes_max) text.insert(0, first_line);
  file.append(text + encoded(line) + "\n");
}

}  // namespace firstlight
