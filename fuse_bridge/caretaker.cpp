#include "fuse_bridge/caretaker.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "fuse_bridge/hybrid/content_node.hpp"
#include "fuse_bridge/kernel_resend.hpp"
#include "fuse_bridge/killed_reader.hpp"
#include "storage/content_name.hpp"

namespace firstlight {
namespace {

// libfuse lets the kernel write so many pages at once, and the kernel refuses buffers that would not hold
// them.
constexpr std::size_t message_pages_max = 256;
constexpr std::size_t message_header_bytes_max = 64 * 1024;
constexpr std::uint32_t read_bytes_max = 16U << 20U;
constexpr std::size_t files_open_max = 256;
constexpr int requests_a_turn = 16;

template <class Fields>
std::optional<Fields> fields_at(bytes_view message, std::size_t at) {
  Fields fields{};
  if (message.size() < at + sizeof fields) return std::nullopt;
  std::memcpy(&fields, message.data() + at, sizeof fields);
  return fields;
}

/// A request that nobody waits for any more is answered with an error, which nobody needs.
void reply(int device, std::uint64_t request, int problem, bytes_view data = {}) {
  fuse_out_header header{};
  header.len = static_cast<std::uint32_t>(sizeof header + data.size());
  header.error = -problem;
  header.unique = request;
  const std::array<iovec, 2> parts{
      iovec{&header, sizeof header},
      iovec{const_cast<std::byte*>(data.data()), data.size()}};  // writev(2) does not change it
  [[maybe_unused]] const auto written = writev(device, parts.data(), data.empty() ? 1 : 2);
}

struct directory_closer {
  void operator()(DIR* open) const { ::closedir(open); }
};

}  // namespace

caretaker::caretaker(caretaker_places places) : places_(std::move(places)), early_(places_.early_contents) {}

void caretaker::forget() {
  files_.clear();
  waiting_.clear();
  watched_ = 0;
  fails_ = false;
}

void caretaker::begin(int device) {
  forget();  // of a mount that ended meanwhile
  message_.resize(message_pages_max * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) +
                  message_header_bytes_max);
  // Else programs that the node owed an answer wait for the next one.
  [[maybe_unused]] const auto asked = have_kernel_repeat(device);
}

void caretaker::end(int device) {
  const bool owes = !waiting_.empty();
  forget();
  message_ = {};
  data_ = {};
  // A node that goes on with the session does so too; one that has been there all the time does not.
  if (owes) [[maybe_unused]]
    const auto asked = have_kernel_repeat(device);
}

void caretaker::serve(int device) {
  for (int i = 0; i < requests_a_turn; ++i) {
    const auto got = ::read(device, message_.data(), message_.size());
    if (got <= 0) {  // nothing more, or a request that was taken back, or the mount is gone, which poll tells
      fails_ = got < 0 && errno != EAGAIN && errno != EINTR && errno != ENOENT;
      break;
    }
    handle(device, bytes_view(message_).first(static_cast<std::size_t>(got)));
  }
  let_killed_go(device);
}

void caretaker::handle(int device, bytes_view message) {
  const auto header = fields_at<fuse_in_header>(message, 0);
  if (!header) return;
  switch (header->opcode) {
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
      return;  // no answer is wanted
    case FUSE_READ:
      return read(device, message);
    case FUSE_INTERRUPT:
      if (const auto what = fields_at<fuse_interrupt_in>(message, sizeof *header))
        if (const auto found = waiting_.find(what->unique); found != waiting_.end())
          watched_ += std::exchange(found->second.watched, true) ? 0 : 1;
      return;
    default:
      waiting_.try_emplace(header->unique, waiter{header->pid});
  }
}

/// Others have been sent a harmless signal: an answer now would be an error in a program that lives on.
void caretaker::let_killed_go(int device) {
  if (watched_ == 0) return;
  std::erase_if(waiting_, [&](const auto& one) {
    const bool go = one.second.watched && is_killed(one.second.thread);
    if (!go) return false;
    reply(device, one.first, EINTR);
    --watched_;
    return true;
  });
}

void caretaker::read(int device, bytes_view message) {
  const auto header = *fields_at<fuse_in_header>(message, 0);
  const auto wanted = fields_at<fuse_read_in>(message, sizeof header);
  const auto file = wanted ? file_of(header.nodeid) : -1;
  if (file < 0 || wanted->size > read_bytes_max) {
    waiting_.try_emplace(header.unique, waiter{header.pid});
    return;
  }
  data_.resize(wanted->size);
  const auto got = read_at(file, data_, wanted->offset, "a content");
  if (!got) return reply(device, header.unique, EIO);
  reply(device, header.unique, 0, bytes_view(data_).first(*got));
}

int caretaker::file_of(std::uint64_t node) {
  if (const auto known = files_.find(node); known != files_.end()) return known->second.get();
  auto file = open_content(node);
  if (!file) return -1;
  if (files_.size() >= files_open_max) files_.clear();
  return files_.emplace(node, std::move(file)).first->second.get();
}

file_descriptor caretaker::open_content(std::uint64_t node) const {
  if (content_node::says_id(node)) return open_by_prefix(node);
  const auto early = content_node::early(node);
  const auto id = early ? early_.find(*early) : std::nullopt;
  if (!id) return {};
  auto file = open_at(AT_FDCWD, places_.store / content_name(*id).view(), O_RDONLY);
  return file ? std::move(*file) : file_descriptor();
}

/// A node number lacks most of the id; but a folder has few names.
file_descriptor caretaker::open_by_prefix(std::uint64_t node) const {
  content_id first;  // only its folder counts
  first.root.bytes[0] = std::byte{content_node::first_byte(node)};
  const std::string folder(content_name(first).folder());
  const std::unique_ptr<DIR, directory_closer> listing(::opendir((places_.store / folder).c_str()));
  if (!listing) return {};
  while (const auto* entry = ::readdir(listing.get())) {
    const auto id = parse_hex_digest(folder + entry->d_name);
    if (!id || content_node::of(content_id{*id}) != node) continue;
    auto file = open_at(dirfd(listing.get()), entry->d_name, O_RDONLY);
    return file ? std::move(*file) : file_descriptor();
  }
  return {};
}

}  // namespace firstlight
