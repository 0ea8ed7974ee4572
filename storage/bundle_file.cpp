#include "storage/bundle_file.hpp"

#include "schemas/segment_codec.hpp"
#include "storage/new_file.hpp"
#include "storage/oci/file_source.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

constexpr std::string_view magic = "FLBUNDLE";
constexpr std::uint64_t version = 2;
constexpr std::size_t word = 8;

enum class kind : std::uint64_t { toc = 1, segment = 2, landmark = 3, end = 4 };

/// What stands before each part: its kind and its bytes, both little-endian.
struct part_header {
  kind what = kind::end;
  std::uint64_t bytes = 0;
};

void put_word(std::byte* at, std::uint64_t value) {
  for (std::size_t i = 0; i < word; ++i, value >>= 8U) at[i] = static_cast<std::byte>(value & 0xffU);
}
std::uint64_t get_word(const std::byte* at) {
  std::uint64_t value = 0;
  for (std::size_t i = word; i-- > 0;) value = value << 8U | std::to_integer<std::uint64_t>(at[i]);
  return value;
}

bytes_view as_bytes_view(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

struct bundle_writer::impl {
  new_file file;
  sha256_stream sum;
  std::uint64_t offset = 0;
  std::uint32_t segments = 0;

  explicit impl(new_file made) : file(std::move(made)) {}
  result<void> write(bytes_view bytes) {
    auto written = write_at(file.get(), bytes, offset, file.temporary());
    sum.update(bytes);
    offset += bytes.size();
    return written;
  }
  result<void> write_part(kind what, bytes_view bytes) {
    std::array<std::byte, 2 * word> header{};
    put_word(header.data(), static_cast<std::uint64_t>(what));
    put_word(header.data() + word, bytes.size());
    if (auto written = write(header); !written) return written;
    return write(bytes);
  }
};

bundle_writer::bundle_writer(std::unique_ptr<impl> state) : impl_(std::move(state)) {}
bundle_writer::~bundle_writer() = default;
bundle_writer::bundle_writer(bundle_writer&&) noexcept = default;
bundle_writer& bundle_writer::operator=(bundle_writer&&) noexcept = default;

result<bundle_writer> bundle_writer::create(const std::filesystem::path& path, const toc_frame& tree,
                                            const toc_frame& contents) {
  auto file = new_file::create(path);
  if (!file) return tl::make_unexpected(file.error());
  auto state = std::make_unique<impl>(std::move(*file));
  std::array<std::byte, word> number{};
  put_word(number.data(), version);
  auto written = state->write(as_bytes_view(magic));
  if (written) written = state->write(number);
  for (const auto* part : {&tree, &contents})
    if (written) written = state->write_part(kind::toc, encode_toc_frame(*part));
  if (!written) return tl::make_unexpected(written.error());
  return bundle_writer(std::move(state));
}

result<void> bundle_writer::add(const segment& next) {
  ++impl_->segments;
  return impl_->write_part(kind::segment, encode_segment(next));
}

result<void> bundle_writer::add(landmark passed) {
  std::array<std::byte, word> value{};
  put_word(value.data(), static_cast<std::uint64_t>(passed));
  return impl_->write_part(kind::landmark, value);
}

result<void> bundle_writer::finish() {
  auto& state = *impl_;
  std::array<std::byte, word + sizeof(digest)> end{};
  put_word(end.data(), state.segments);
  const auto sum = state.sum.finish();
  std::copy(sum.bytes.begin(), sum.bytes.end(), end.begin() + word);
  if (auto written = state.write_part(kind::end, end); !written) return written;
  return state.file.keep();
}

struct bundle_reader::impl {
  std::string path;
  std::shared_ptr<const file_descriptor> file;
  segment_limits limits;
  sha256_stream sum;
  std::uint64_t offset = 0;
  std::uint32_t segments = 0;
  toc_frame tree;
  toc_frame contents;

  [[nodiscard]] tl::unexpected<error> broken(const std::string& why) const {
    return fail(errc::corrupt, "bundle file " + path + " " + why);
  }
  result<void> read_exactly(std::span<std::byte> into) {
    const auto got = read_at(file->get(), into, offset, path);
    if (!got) return tl::make_unexpected(got.error());
    if (*got != into.size()) return broken("is cut off after " + std::to_string(offset + *got) + " bytes");
    offset += *got;
    return {};
  }
  result<part_header> read_header(sha256_stream* into) {
    std::array<std::byte, 2 * word> raw{};
    if (auto got = read_exactly(raw); !got) return tl::make_unexpected(got.error());
    part_header header{static_cast<kind>(get_word(raw.data())), get_word(raw.data() + word)};
    if (header.what != kind::end) into->update(raw);
    return header;
  }
  result<shared_bytes> read_body(const part_header& header, std::uint64_t bytes_max) {
    if (header.bytes > bytes_max)
      return fail(errc::limit_exceeded,
                  "bundle file " + path + " holds a part of " + std::to_string(header.bytes) + " bytes");
    std::vector<std::byte> bytes(header.bytes);
    if (auto got = read_exactly(bytes); !got) return tl::make_unexpected(got.error());
    if (header.what != kind::end) sum.update(bytes);
    return share(std::move(bytes));
  }
  result<void> read_begin() {
    std::array<std::byte, 2 * word> begin{};
    const auto got = read_at(file->get(), begin, 0, path);
    if (!got) return tl::make_unexpected(got.error());
    if (*got != begin.size() ||
        !std::equal(begin.begin(), begin.begin() + word, as_bytes_view(magic).begin()))
      return fail(errc::corrupt, path + " is not a bundle file");
    if (get_word(begin.data() + word) != version)
      return fail(errc::unsupported, "bundle file " + path + " is of another version (" +
                                         std::to_string(get_word(begin.data() + word)) +
                                         ") than this program reads (" + std::to_string(version) +
                                         "); save it again with the same program");
    offset = begin.size();
    sum.update(begin);
    if (auto read = read_toc(toc_part::tree, tree); !read) return read;
    return read_toc(toc_part::contents, contents);
  }
  result<void> read_toc(toc_part part, toc_frame& into) {
    const auto header = read_header(&sum);
    if (!header) return tl::make_unexpected(header.error());
    if (header->what != kind::toc) return broken("does not begin with a table of contents");
    const auto body = read_body(*header, limits.toc_bytes_max);
    if (!body) return tl::make_unexpected(body.error());
    auto decoded = decode_toc_frame(*body);
    if (!decoded) return tl::make_unexpected(decoded.error());
    if (decoded->part != part) return broken("has the parts of its table of contents in disorder");
    into = std::move(*decoded);
    return {};
  }
  result<bundle_part> read_end(const shared_bytes& body) {
    if (body.bytes.size() != word + sizeof(digest)) return broken("has a damaged end");
    const auto expected = sum.finish();
    if (get_word(body.bytes.data()) != segments ||
        !std::equal(expected.bytes.begin(), expected.bytes.end(), body.bytes.begin() + word))
      return broken("is damaged: its checksum does not match");
    std::byte behind{};
    const auto more = read_at(file->get(), std::span(&behind, 1), offset, path);
    if (!more) return tl::make_unexpected(more.error());
    if (*more != 0) return broken("has bytes behind its end");
    return bundle_end{segments};
  }
};

bundle_reader::bundle_reader(std::unique_ptr<impl> state) : impl_(std::move(state)) {}
bundle_reader::~bundle_reader() = default;
bundle_reader::bundle_reader(bundle_reader&&) noexcept = default;
bundle_reader& bundle_reader::operator=(bundle_reader&&) noexcept = default;

result<bundle_reader> bundle_reader::open(const std::filesystem::path& path, const segment_limits& limits) {
  auto state = std::make_unique<impl>();
  state->path = path.string();
  state->limits = limits;
  auto opened = open_regular(state->path);
  if (!opened) return tl::make_unexpected(opened.error());
  state->file = std::move(opened->file);
  if (auto begun = state->read_begin(); !begun) return tl::make_unexpected(begun.error());
  return bundle_reader(std::move(state));
}

const toc_frame& bundle_reader::tree() const {
  return impl_->tree;
}
const toc_frame& bundle_reader::contents() const {
  return impl_->contents;
}

result<bundle_part> bundle_reader::next() {
  auto& state = *impl_;
  const auto header = state.read_header(&state.sum);
  if (!header) return tl::make_unexpected(header.error());
  // Packed bytes, runs and proofs of the largest segment allowed.
  const auto bytes_max = std::uint64_t{state.limits.segment_bytes_max} * 2 +
                         state.limits.segment_runs_max * 16ULL + state.limits.proof_nodes_max * 64ULL;
  const auto body = state.read_body(*header, bytes_max);
  if (!body) return tl::make_unexpected(body.error());
  switch (header->what) {
    case kind::segment: {
      ++state.segments;
      auto decoded = decode_segment(*body);
      if (!decoded) return state.broken("holds a damaged segment: " + decoded.error().detail);
      return bundle_part(std::move(*decoded));
    }
    case kind::landmark:
      if (body->bytes.size() != word ||
          get_word(body->bytes.data()) > static_cast<std::uint64_t>(landmark::complete))
        return state.broken("holds an unknown landmark");
      return bundle_part(static_cast<landmark>(get_word(body->bytes.data())));
    case kind::end:
      return state.read_end(*body);
    case kind::toc:
      break;
  }
  return state.broken("holds an unknown part");
}

}  // namespace firstlight
