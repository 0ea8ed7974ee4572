#include <cstdlib>
#include <cstring>

#include "schemas/segment_codec.hpp"
#include "storage/zstd.hpp"
#include "test/fuzz/fuzz_entry.hpp"

using namespace firstlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint32_t unpacked_max = 1U << 20U;
  std::vector<std::byte> bytes(size);  // vectors are aligned
  if (size != 0) std::memcpy(bytes.data(), data, size);
  const auto message = share(std::move(bytes));
  if (const auto value = decode_segment(message)) {
    // What decodes encodes to something that decodes to the same.
    const auto again = decode_segment(share(encode_segment(*value)));
    if (!again || again->runs != value->runs || again->proofs != value->proofs) std::abort();
    if (value->bytes <= unpacked_max)
      if (const auto unpacked = decompress(value->frame.bytes, value->bytes);
          unpacked && unpacked->size() != value->bytes)
        std::abort();
  }
  if (const auto value = decode_toc_frame(message)) {
    const auto again = decode_toc_frame(share(encode_toc_frame(*value)));
    if (!again || again->bytes != value->bytes || again->patch_base != value->patch_base ||
        again->tables != value->tables)
      std::abort();
    const std::vector<std::byte> frame(value->frame.bytes.begin(), value->frame.bytes.end());
    if (const auto rows = from_columns(frame, value->tables);
        rows && to_columns(*rows, value->tables) != frame)
      std::abort();
  }
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const std::vector<std::byte> bytes(20'000, std::byte{'x'});
  segment plain;
  plain.runs = {{0, 0, 1}, {3, 5, 2}};
  plain.bytes = static_cast<std::uint32_t>(bytes.size());
  plain.frame = share(compress(bytes, 3).value());
  plain.proofs = {{3, {{0, 4, {}}, {1, 3, {}}}}};
  auto patch = plain;
  patch.patch_base = content_info{{}, 1234};
  toc_frame toc;
  toc.origin.certificate_pem = "certificate";
  toc.frame = plain.frame;
  toc.patch_base = toc_id{};
  toc.tables = {{0, 3, {column_form::words, column_form::byte_differences}}};
  std::vector<std::string> seeds;
  for (const auto& message : {encode_segment(plain), encode_segment(patch), encode_toc_frame(toc)})
    seeds.emplace_back(reinterpret_cast<const char*>(message.data()), message.size());
  return seeds;
}
