#include "test/harness/node/fake_source.hpp"

#include <chrono>
#include <stdexcept>

namespace firstlight {

struct fake_source_shell {
  static receiver::behavior_type run(receiver::pointer, fake_source* owner) {
    return {
        [](const incoming_toc&) { return verdict{}; },
        [](const incoming_segment&) { return verdict{}; },
        [](const incoming_landmark&) {},
        [](const incoming_progress&) {},
        [](const link_changed&) {},
        [owner](const want_blocks& wanted) { owner->take_want(wanted); },
        [owner](caf::subscribe_atom, const caf::actor& listener) { owner->take_listener(listener); },
    };
  }
};

fake_source::fake_source(caf::actor_system& system, content_store& store, const image_builder::built& image)
    : store_(store), image_(image), handle_(system.spawn(fake_source_shell::run, this)) {}

fake_source::~fake_source() {
  caf::scoped_actor self(handle_->home_system());
  self->send_exit(handle_, caf::exit_reason::user_shutdown);
  self->wait_for(handle_);
}

void fake_source::on_want(answer how) {
  const std::lock_guard lock(mutex_);
  answer_ = how;
}

void fake_source::take_want(const want_blocks& wanted) {
  answer how = answer::nothing;
  {
    const std::lock_guard lock(mutex_);
    wanted_.insert(wanted_.end(), wanted.runs.begin(), wanted.runs.end());
    how = answer_;
  }
  changed_.notify_all();
  for (const auto& run : wanted.runs) {
    if (how == answer::deliver) deliver(run);
    if (how == answer::fail) fail(run, {errc::corrupt, "the hub sent wrong bytes three times"});
  }
}

void fake_source::take_listener(const caf::actor& listener) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back(listener);
  if (known_) caf::anon_send(listener, contents_known{});
  if (complete_) caf::anon_send(listener, image_complete{});
}

void fake_source::store_silently(block_run run) {
  const auto content = image_.toc->content(run.content);
  const auto geometry = image_.toc->geometry();
  const auto bytes =
      std::string_view(image_.bytes.at(run.content))
          .substr(geometry.offset(run.first), geometry.length(content.size, run.first, run.count));
  const auto written = store_.write(content, run.first, std::as_bytes(std::span(bytes)));
  if (!written) throw std::runtime_error(to_string(written.error()));
}

void fake_source::deliver(block_run run) {
  store_silently(run);
  announce(blocks_ready{std::make_shared<const std::vector<block_run>>(1, run), true});
}

void fake_source::learn(const std::vector<std::byte>& ids) {
  if (!image_.toc->learn_contents(share(ids))) throw std::runtime_error("these are no ids of this image");
  announce(contents_known{}, &fake_source::known_);
}

void fake_source::deliver_content(std::uint32_t content) {
  deliver({content, 0, image_.toc->geometry().count(image_.toc->content(content).size)});
}

void fake_source::deliver_all() {
  for (std::uint32_t content = 0; content < image_.toc->content_count(); ++content) deliver_content(content);
  announce(image_complete{}, &fake_source::complete_);
}

void fake_source::fail(block_run run, const error& why) {
  announce(blocks_failed{{run}, why});
}

std::vector<block_run> fake_source::wanted() const {
  const std::lock_guard lock(mutex_);
  return wanted_;
}

bool fake_source::wait_for_wants(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return wanted_.size() >= count; });
}

template <class Message>
void fake_source::announce(Message message, bool fake_source::*once) {
  const std::lock_guard lock(mutex_);
  if (once != nullptr) this->*once = true;
  for (const auto& listener : listeners_) caf::anon_send(listener, message);
}

}  // namespace firstlight
