#include "actors/hub/save_bundle.hpp"

#include "storage/bundle_file.hpp"

namespace firstlight {
namespace {

result<void> check_free(const std::filesystem::path& file) {
  if (!file.is_absolute())
    return fail(errc::invalid_argument, "a bundle file is named by its absolute path, not " + file.string());
  std::error_code problem;
  const auto status = std::filesystem::symlink_status(file, problem);
  if (std::filesystem::exists(status))
    return fail(errc::already_exists, file.string() + " exists; choose another name or remove it");
  return {};
}

result<void> write_landmarks(bundle_writer& file, const bundle_plan& plan, std::uint32_t written) {
  for (const auto& landmark : plan.landmarks) {
    if (landmark.after != written) continue;
    if (auto added = file.add(landmark.mark); !added) return added;
  }
  return {};
}

result<void> write_parts(const save_bundle_tools& tools, const save_bundle_request& request,
                         const prepared_delivery& prepared, bundle_writer& file) {
  const auto& plan = *prepared.plan;
  pull_progress progress{"saving", 0, plan.bytes};
  for (std::uint32_t i = 0; i < plan.segments.size(); ++i) {
    if (request.stop != nullptr && *request.stop) return fail(errc::cancelled, "the hub is stopping");
    if (auto marked = write_landmarks(file, plan, i); !marked) return marked;
    const auto built = tools.builder.build(i, plan.segments[i], *prepared.contents);
    if (!built) return tl::unexpected(built.error());
    if (auto added = file.add(*built); !added) return added;
    progress.done += plan.segments[i].bytes;
    if (request.progress) request.progress(progress);
  }
  return write_landmarks(file, plan, static_cast<std::uint32_t>(plan.segments.size()));
}

result<std::uint64_t> size_of(const std::filesystem::path& file) {
  std::error_code problem;
  const auto bytes = std::filesystem::file_size(file, problem);
  if (problem) return fail(errc::io, file.string() + ": " + problem.message());
  return bytes;
}

}  // namespace

result<saved_bundle> save_bundle(const save_bundle_tools& tools, const save_bundle_request& request) {
  if (auto is_free = check_free(request.file); !is_free) return tl::unexpected(is_free.error());
  const pull_request everything{0, request.reference, request.image.record.platform, {}, std::nullopt};
  const auto toc = prepare_toc(tools.preparation, request.image, everything, request.now);
  if (!toc) return tl::unexpected(toc.error());
  auto file = bundle_writer::create(request.file, toc->at(0), toc->at(1));
  if (!file) return tl::unexpected(file.error());
  const auto prepared = prepare_delivery(tools.preparation, request.image, everything);
  auto done = write_parts(tools, request, prepared, *file).and_then([&] { return file->finish(); });
  if (!done) return tl::unexpected(done.error());
  const auto bytes = size_of(request.file);
  if (!bytes) return tl::unexpected(bytes.error());
  return saved_bundle{request.reference, *bytes};
}

}  // namespace firstlight
