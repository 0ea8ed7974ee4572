#pragma once
#include "model/plan.hpp"

namespace firstlight {

/// Puts what a start of another image is expected to read of the same contents into the order of the image
/// that brings them. Each run of `loans` takes its place by when it is read; where one of the two does not
/// know when, they take turns. What is not expected stays behind. Pure.
/// @param own     the order of the image that is sent
/// @param loans   runs of its contents, as the other start is expected to read them
/// @param offset  how much later the other start begins; may be negative
[[nodiscard]] content_order with_loans(const content_order& own, const content_order& loans,
                                       std::chrono::milliseconds offset);

}  // namespace firstlight
