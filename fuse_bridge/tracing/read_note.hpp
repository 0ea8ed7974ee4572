#pragma once
#include <memory>
#include <vector>

#include "actors/access_recorder.hpp"
#include "model/read_claim.hpp"

namespace firstlight {

/// READ NOTE: a recording that notes a read, or will once it is known whose that was.
struct read_note {
  std::shared_ptr<access_recorder> recorder;
  std::uint32_t content = 0;  ///< what is read, as the TOC of its image numbers it
  read_claim claim = read_claim::certain;
};

/// All that note one read; none: nobody wants to know. Members of access_recorder say what each of these
/// means; `run` is of the content as any TOC numbers it.
using read_notes = std::vector<read_note>;

/// Of a read that only one mount can have made. The recorder may be none.
[[nodiscard]] read_notes own_note(const std::shared_ptr<access_recorder>& recorder, std::uint32_t content);

void note_read(const read_notes& notes, block_run run, std::uint32_t blocks_of_content);
void note_waits(const read_notes& notes);
void note_waited(const read_notes& notes, block_run run, std::uint32_t blocks_of_content, instant since);
void note_gave_up(const read_notes& notes);

}  // namespace firstlight
