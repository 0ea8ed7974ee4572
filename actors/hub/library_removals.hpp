#pragma once
#include <limits>

#include "actors/hub/image_library.hpp"

/// How the image library removes images, and contents that none needs. Functions of the library's actor, on
/// its thread.
namespace firstlight {

using library_pointer = image_library::stateful_pointer<library_state>;
using removal_promise = caf::typed_response_promise<image_removed>;

/// Removes an image and what it alone needed, when no other one is being added or looked at: an addition
/// counts on contents that no record names yet, and would bring a record back. Until then additions go on;
/// whoever has waited for `removal_wait` is refused.
void remove_in_turn(library_pointer self, const library_tools& tools, const worker_pool& workers,
                    const remove_image& which, removal_promise reply);
void give_up_removal(library_pointer self, const removal_overdue& what);

/// Begins all removals that wait, up to that number, if they may begin now, with one sweep for them. To be
/// called whenever an addition or a look has ended.
void begin_removals(library_pointer self, const library_tools& tools, const worker_pool& workers,
                    std::uint64_t last = std::numeric_limits<std::uint64_t>::max());

/// There are contents that no image needs: what an image has brought that had no room.
void want_sweep(library_pointer self, const library_tools& tools);
/// Begins a sweep that was wanted, if it may begin now. To be called whenever an addition has ended.
void begin_wanted_sweep(library_pointer self, const library_tools& tools, const worker_pool& workers);

/// Removes what an earlier process, which was stopped meanwhile, has left to be removed.
void finish_earlier_sweep(library_pointer self, const library_tools& tools, const worker_pool& workers);

}  // namespace firstlight
