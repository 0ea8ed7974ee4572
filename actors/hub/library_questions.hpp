#pragma once
#include "actors/hub/image_library.hpp"

/// What a question to the image library means: which image, read from where, by whom. Functions of the
/// library's actor, on its thread.
namespace firstlight {

using library_key = std::pair<std::string, std::string>;  ///< name and platform, as the catalogue has them

/// What was asked, in canonical form.
struct canonical_question {
  image_reference asked;      ///< as it was named
  image_reference reference;  ///< where it is read from
  platform wanted;
  library_key where;
};

/// Under which name an image is kept; it is read from where it was named. Errors: `invalid_argument`.
[[nodiscard]] result<canonical_question> as_named(const resolve_image& asked);

/// The same, but an image that was added under a name of the user's choice is looked after at its source. One
/// whose record cannot be read is refused: where it came from is not known, and another place may have
/// another image under its name.
[[nodiscard]] result<canonical_question> canonical(const library_tools& tools, const resolve_image& asked);

/// A known image that has the manifest that `asked` pins and may stand for it: by the name that was asked
/// for, of a file, or of the same registry. Another registry's word says nothing about who may read this
/// one's.
[[nodiscard]] result<std::optional<image_record>> find_pinned(const library_tools& tools,
                                                              const image_reference& asked);

/// The record that an answer would be taken from, if one is known.
[[nodiscard]] result<std::optional<image_record>> record_for(const library_tools& tools,
                                                             const resolve_image& asked,
                                                             const canonical_question& canonical);

/// What the caller must be able to read in a registry to get the answer that would be taken from this record,
/// or from its source if there is none; none: all nodes may have it. `exactly`: by its table of contents;
/// `now`: since the epoch. Errors: `denied` for a file that the administrator has not added.
[[nodiscard]] result<std::optional<image_reference>> what_must_be_readable(
    const library_tools& tools, const std::optional<image_record>& record, const image_reference& asked,
    bool exactly, std::chrono::milliseconds now);

/// Layers of an image that was added under another name are read from where that came from.
[[nodiscard]] std::optional<image_reference> source_of_layers(const library_tools& tools,
                                                              const canonical_question& asked);

/// A login is for one registry: none is shown to another one than that which the caller has named.
[[nodiscard]] shared_login login_for(const image_reference& read, const image_reference& named,
                                     const shared_login& login);

/// What an image is read with for a node: by its login, which has just been found good, if there is one.
[[nodiscard]] source_options sources_for(const library_tools& tools, const image_reference& read,
                                         const image_reference& named,
                                         const std::optional<image_caller>& caller);

}  // namespace firstlight
