#pragma once
#include "actors/hub/image_library.hpp"

/// How additions, removals and looks at tags of the image library begin, each when `sweep_turns` or its queue
/// says so. Functions of the library's actor, on its thread.
namespace firstlight {

using library_pointer = image_library::stateful_pointer<library_state>;

/// Before all else.
void set_up_turns(library_pointer self, const library_tools& tools, const worker_pool& workers);

/// Begins all whose turn it is, with the sweep if it is that one's. To be called whenever somebody has come,
/// left or ended.
void take_turns(library_pointer self, const library_tools& tools, const worker_pool& workers);
/// The same, for a message that `take_turns` has sent.
void take_turns_due(library_pointer self, const library_tools& tools, const worker_pool& workers,
                    const turns_due& due);

/// Begins an addition when it has its turn.
void add_in_turn(library_pointer self, const library_tools& tools, const worker_pool& workers,
                 waiting_addition addition);
/// One that has begun has ended, and its worker is idle. `take_turns` is to follow.
void end_addition(library_pointer self, const worker& by);

/// Begins a look when a worker is idle for that host (empty: this machine).
void look_in_turn(library_pointer self, const std::string& host, idle_work look);
/// One that has begun has ended, and its worker is idle; the next one begins.
void end_look(library_pointer self, const std::string& host, const worker& by);

/// Notes how far an image is, and tells those who wait for it.
void tell(library_pointer self, const ingestion_status& news);

}  // namespace firstlight
