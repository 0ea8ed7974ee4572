#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace firstlight {

enum class layer_packing : std::uint8_t { plain, gzip, zstd };

/// Writes an OCI layout (tag "latest", linux/amd64 unless told) whose layers are the given tars.
void write_layout(const std::filesystem::path& folder, const std::vector<std::string>& tars,
                  layer_packing packing = layer_packing::gzip, const std::string& architecture = "",
                  const std::string& settings = R"({"Cmd":["sh"],"Env":["PATH=/usr/bin:/bin"]})");

/// A layer whose diff id in the image's config is that of another tar.
struct forged_layer {
  std::size_t index = 0;
  std::string claimed_tar;
};

/// Writes a layout in which every blob is what its digest says, and one layer is not what its diff id says.
void write_forged_layout(const std::filesystem::path& folder, const std::vector<std::string>& tars,
                         layer_packing packing, const forged_layer& forged);

[[nodiscard]] std::string pack_layer(const std::string& tar, layer_packing packing);

/// Runs a program, its output discarded. @returns its exit code.
int run_program(const std::string& command_line);

}  // namespace firstlight
