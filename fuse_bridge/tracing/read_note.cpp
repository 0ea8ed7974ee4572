#include "fuse_bridge/tracing/read_note.hpp"

namespace firstlight {
namespace {

bool is_certain(const read_note& note) {
  return note.claim == read_claim::certain;
}

}  // namespace

read_notes own_note(const std::shared_ptr<access_recorder>& recorder, std::uint32_t content) {
  if (!recorder || !recorder->active()) return {};
  return {{recorder, content, read_claim::certain}};
}

void note_read(const read_notes& notes, block_run run, std::uint32_t blocks_of_content) {
  for (const auto& note : notes) {
    run.content = note.content;
    is_certain(note) ? note.recorder->read(run, blocks_of_content)
                     : note.recorder->read_if_opened(run, blocks_of_content);
  }
}

void note_waits(const read_notes& notes) {
  for (const auto& note : notes)
    is_certain(note) ? note.recorder->waits() : note.recorder->waits_if_opened(note.content);
}

void note_waited(const read_notes& notes, block_run run, std::uint32_t blocks_of_content, instant since) {
  for (const auto& note : notes) {
    run.content = note.content;
    is_certain(note) ? note.recorder->waited(run, blocks_of_content, since)
                     : note.recorder->waited_if_opened(run, blocks_of_content, since);
  }
}

void note_gave_up(const read_notes& notes) {
  for (const auto& note : notes)
    is_certain(note) ? note.recorder->gave_up() : note.recorder->gave_up_if_opened(note.content);
}

}  // namespace firstlight
