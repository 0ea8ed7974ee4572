#pragma once
#include <string>
#include <vector>

#include "storage/content_store.hpp"
#include "storage/database.hpp"
#include "storage/image_catalogue.hpp"

namespace firstlight {

/// Images that count as complete and lack contents count as incomplete from now on: their files were lost,
/// as by a power cut, and are fetched again as what never arrived. Those whose table of contents cannot be
/// read are passed over. Reads the table of each complete image. @returns their references.
/// Errors: those of the catalogue.
[[nodiscard]] result<std::vector<std::string>> mark_incomplete(image_catalogue& catalogue,
                                                               const content_store& contents);

/// A CHECK FOR LOSSES at the start of a node. The store forgets its losses when it is opened, so they are
/// looked for from a note that is made before: a process that dies before it has marked the images leaves the
/// check to the next one.
class loss_check {
 public:
  /// Before the contents are opened. `metadata` outlives the check. Errors: those of the database.
  [[nodiscard]] static result<loss_check> begin(database& metadata);

  /// After that: if something was lost, or an earlier process has not come this far, marks the images that
  /// lack contents. @returns their references. Errors: those of mark_incomplete and of the database; then the
  /// next process checks again.
  [[nodiscard]] result<std::vector<std::string>> finish(image_catalogue& catalogue,
                                                        const content_store& contents);

 private:
  loss_check(database& metadata, bool left_unfinished)
      : metadata_(metadata), left_unfinished_(left_unfinished) {}

  database& metadata_;
  bool left_unfinished_;
};

}  // namespace firstlight
