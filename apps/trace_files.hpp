#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "model/result.hpp"
#include "schemas/admin.hpp"

namespace firstlight {

/// The texts of trace files: of a folder all *.json but collection.json, by name. Errors: `not_found`, `io`.
[[nodiscard]] result<std::vector<std::string>> read_trace_files(const std::filesystem::path& file_or_folder);

/// Writes each trace to FOLDER/ID.json and their optimised groups to FOLDER/collection.json; the folder is
/// made. Errors: `io`.
[[nodiscard]] result<void> write_trace_files(const std::filesystem::path& folder,
                                             const admin_trace_texts& texts);

}  // namespace firstlight
