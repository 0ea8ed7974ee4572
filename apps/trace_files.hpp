#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "model/result.hpp"
#include "schemas/admin.hpp"

namespace firstlight {

/// The texts of trace files: of a folder all *.json but collection.json, by name; that one if there is no
/// other. Collections are taken apart into trace files of their starts, which begin with 1970, since no
/// collection says when; equal collections give equal texts. Errors: `not_found`, `io`, `corrupt` for a
/// damaged collection.
[[nodiscard]] result<std::vector<std::string>> read_trace_files(const std::filesystem::path& file_or_folder);

/// Writes each trace to FOLDER/ID.json and their optimised groups to FOLDER/collection.json; the folder is
/// made. Errors: `io`.
[[nodiscard]] result<void> write_trace_files(const std::filesystem::path& folder,
                                             const admin_trace_texts& texts);

/// The optimised groups of exported traces as JSON. Errors: `corrupt`.
[[nodiscard]] result<std::string> collection_of(const std::vector<admin_trace_text>& traces);

}  // namespace firstlight
