#pragma once
#include "actors/hub/library_turns.hpp"

/// How the image library removes images, and contents that none needs. Functions of the library's actor, on
/// its thread.
namespace firstlight {

using removal_promise = caf::typed_response_promise<image_removed>;

/// Removes an image and what it alone needed, when its turn comes: an addition counts on contents that no
/// record names yet. Whoever has waited for `removal_wait` is refused.
void remove_in_turn(library_pointer self, const library_tools& tools, const worker_pool& workers,
                    const remove_image& which, removal_promise reply);
void give_up_removal(library_pointer self, const library_tools& tools, const worker_pool& workers,
                     const removal_overdue& what);

/// Carries out a sweep that has begun, first the removals that it is for.
void remove_and_sweep(library_pointer self, const library_tools& tools, const worker_pool& workers,
                      const begun_turns& turns);

/// There are contents that no image needs: what an image has brought that had no room. `take_turns` is to
/// follow.
void want_sweep(library_pointer self, const library_tools& tools);

/// Removes what an earlier process, which was stopped meanwhile, has left to be removed.
void finish_earlier_sweep(library_pointer self, const library_tools& tools, const worker_pool& workers);

}  // namespace firstlight
