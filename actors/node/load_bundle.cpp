#include "actors/node/load_bundle.hpp"

#include "storage/bundle_file.hpp"
#include "storage/segment_reader.hpp"

namespace firstlight {
namespace {

/// One file on its way into the stores.
class loading {
 public:
  loading(const receive_tools& tools, const load_bundle_request& request, mountable_image image)
      : tools_(tools),
        request_(request),
        image_(std::move(image)),
        reader_(tools.contents, image_.toc),
        progress_{"loading", 0, image_.toc->content_bytes()} {}

  result<void> run(bundle_reader& file) {
    for (;;) {
      if (request_.stop != nullptr && *request_.stop) return fail(errc::cancelled, "the node is stopping");
      const auto part = file.next();
      if (!part) return tl::unexpected(part.error());
      if (std::holds_alternative<bundle_end>(*part)) return {};
      if (const auto* data = std::get_if<segment>(&*part))
        if (auto taken = take(*data); !taken) return taken;
    }
  }

  /// Only when all is here.
  result<mountable_image> finish() {
    auto complete = make_complete(tools_, image_);
    if (!complete) return tl::unexpected(complete.error());
    if (!*complete)
      return fail(errc::corrupt, "bundle file " + request_.file.string() + " lacks a part of its image");
    image_.record.complete = true;
    return image_;
  }

 private:
  result<void> take(const segment& data) {
    auto outcome = reader_.read(data);
    if (!outcome) return tl::unexpected(named(outcome.error()));
    if (!outcome->stored.empty()) announce(outcome->stored);
    if (!outcome->failed.empty()) return tl::unexpected(named(outcome->failed.front().why));
    if (unsafe_bytes_ < tools_.limits.checkpoint_bytes) return {};
    unsafe_bytes_ = 0;
    return tools_.contents.checkpoint();
  }

  void announce(const std::vector<block_run>& stored) {
    const auto bytes = bytes_of(*image_.toc, stored);
    unsafe_bytes_ += bytes;
    progress_.done += bytes;
    if (request_.stored) request_.stored(image_.record.toc, stored);
    if (request_.progress) request_.progress(progress_);
  }

  /// In a file, bytes that prove nothing are as damaged as wrong ones: nobody sends better ones.
  [[nodiscard]] error named(const error& why) const {
    const bool damaged = why.code == errc::corrupt || why.code == errc::not_ready;
    if (!damaged) return why;
    return {errc::corrupt, "bundle file " + request_.file.string() + " is damaged: " + why.detail};
  }

  const receive_tools& tools_;
  const load_bundle_request& request_;
  mountable_image image_;
  segment_reader reader_;
  pull_progress progress_;
  std::uint64_t unsafe_bytes_ = 0;  // stored since the last checkpoint
};

}  // namespace

result<loaded_bundle> load_bundle(const receive_tools& tools, const load_bundle_request& request) {
  auto file = bundle_reader::open(request.file);
  if (!file) return tl::unexpected(file.error());
  auto kept = keep_bundled_toc(tools, request.home, file->tree(), file->contents());
  if (!kept) return tl::unexpected(kept.error());
  loading under_way(tools, request, std::move(*kept));
  if (auto read = under_way.run(*file); !read) {
    if (auto durable = tools.contents.checkpoint(); !durable)
      return fail(durable.error(), read.error().detail);
    return tl::unexpected(read.error());
  }
  auto image = under_way.finish();
  if (!image) return tl::unexpected(image.error());
  std::error_code problem;
  const auto bytes = std::filesystem::file_size(request.file, problem);
  if (problem) return fail(errc::io, request.file.string() + ": " + problem.message());
  return loaded_bundle{std::move(*image), bytes};
}

}  // namespace firstlight
