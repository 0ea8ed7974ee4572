#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What every fuzzer defines. Reads `size` bytes from outside; must neither crash nor run away. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// Inputs that decode, for the driver to mutate. Never empty.
std::vector<std::string> fuzz_seeds();
