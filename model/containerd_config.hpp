#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"
#include "model/toml_outline.hpp"

/// Edits of containerd's config file (versions 2 and 3) that make a node its snapshotter, and that take it
/// out again. What is not touched stays as it is, byte for byte; what is stands between marks
/// (model/marked_lines.hpp). Pure.
namespace firstlight {

enum class cri_use : std::uint8_t {
  left_alone,
  by_snapshotter,  ///< images of Kubernetes come through the snapshotter, which is told their names
};

struct containerd_wish {
  std::string snapshotter;  ///< what containerd calls the node
  std::string socket;       ///< where the node serves it
  std::string root;         ///< where it keeps snapshots: on that disk Kubernetes looks for room for images
  cri_use cri = cri_use::left_alone;
};

struct toml_setting {
  toml_path path;
  std::string value;  ///< as written in a file: "\"text\"", "false", "2"
  friend bool operator==(const toml_setting&, const toml_setting&) = default;
};

struct containerd_edit {
  std::string text;                    ///< the whole file; equal to what was given if nothing is to be done
  std::vector<toml_setting> settings;  ///< what it says after an installation, whether changed or not
  std::vector<std::string> notes;      ///< what the user should know, a line each
};

/// Adds or changes what is missing. A second time changes nothing. Without text (no file, or an empty one)
/// the result is a whole config of version 2. Errors, with the line where there is one: `failed_precondition`
/// for what cannot be edited safely (version 1, inline tables, dotted keys, marks without their other one),
/// and where the socket has another name already: of two names each clean-up removes what the other has;
/// `unsupported` for a later version; `invalid_argument` for what is no TOML.
[[nodiscard]] result<containerd_edit> install_snapshotter(std::string_view text, const containerd_wish& wish);

/// Takes back what `install_snapshotter` did, so that the rest is as before; if it did nothing here, removes
/// the snapshotter's section and the CRI plugin's choice of it, whoever wrote them. Errors: as above.
[[nodiscard]] result<containerd_edit> remove_snapshotter(std::string_view text,
                                                         const std::string& snapshotter);

/// Whether an edit for this snapshotter may change the value at `path`.
[[nodiscard]] bool is_of_snapshotter(const toml_path& path, const std::string& snapshotter);

}  // namespace firstlight
