#include "storage/bundle_file.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

toc_frame some_contents() {
  toc_frame toc;
  toc.part = toc_part::contents;
  toc.bytes = 64;
  toc.frame = share(some_bytes(50, 9));
  return toc;
}

toc_frame some_tree() {
  toc_frame toc;
  toc.origin = {some_bytes(40, 1), some_bytes(64, 2), "-----BEGIN CERTIFICATE-----\n"};
  toc.bytes = 1000;
  toc.frame = share(some_bytes(100, 3));
  return toc;
}

segment some_segment(std::uint32_t sequence) {
  segment value;
  value.sequence = sequence;
  value.runs = {{sequence, 1, 2}, {7, 0, 1}};
  value.bytes = 5000;
  value.frame = share(some_bytes(900 + sequence, sequence));
  value.proofs = {{sequence, {{1, 2, sha256(some_bytes(1, sequence))}}}};
  if (sequence == 1) value.patch_base = content_info{{sha256(some_bytes(2, 2))}, 77};
  return value;
}

void write_bundle(const std::filesystem::path& path) {
  auto writer = bundle_writer::create(path, some_tree(), some_contents()).value();
  for (std::uint32_t i = 0; i < 3; ++i) {
    REQUIRE(writer.add(some_segment(i)));
    if (i == 1) REQUIRE(writer.add(landmark::guessed));
  }
  REQUIRE(writer.add(landmark::complete));
  REQUIRE(writer.finish());
}

/// Reads all parts. @returns their number, or the first error.
result<int> read_all(const std::filesystem::path& path) {
  auto reader = bundle_reader::open(path);
  if (!reader) return tl::make_unexpected(reader.error());
  for (int parts = 1;; ++parts) {
    const auto part = reader->next();
    if (!part) return tl::make_unexpected(part.error());
    if (std::holds_alternative<bundle_end>(*part)) return parts;
  }
}

}  // namespace

TEST_CASE("a bundle file gives back its TOC, segments and landmarks in order") {
  temporary_folder folder;
  const auto path = folder.path() / "image.bundle";
  write_bundle(path);
  auto reader = bundle_reader::open(path).value();
  CHECK(std::ranges::equal(reader.tree().frame.bytes, some_tree().frame.bytes));
  CHECK(reader.tree().origin.certificate_pem == some_tree().origin.certificate_pem);
  CHECK(std::ranges::equal(reader.contents().frame.bytes, some_contents().frame.bytes));
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto part = reader.next().value();
    const auto& read = std::get<segment>(part);
    CHECK(read.sequence == i);
    CHECK(read.runs == some_segment(i).runs);
    CHECK(read.proofs == some_segment(i).proofs);
    CHECK(read.patch_base == some_segment(i).patch_base);
    CHECK(std::ranges::equal(read.frame.bytes, some_segment(i).frame.bytes));
    if (i == 1) CHECK(std::get<landmark>(reader.next().value()) == landmark::guessed);
  }
  CHECK(std::get<landmark>(reader.next().value()) == landmark::complete);
  CHECK(std::get<bundle_end>(reader.next().value()).segments == 3);
}

TEST_CASE("a bundle file that is cut off anywhere or has a wrong byte anywhere is refused") {
  temporary_folder folder;
  const auto path = folder.path() / "image.bundle";
  write_bundle(path);
  CHECK(read_all(path).value() == 6);
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t at = 0; at < size; at += 37) {
    const auto cut = folder.path() / "cut";
    std::filesystem::copy_file(path, cut, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(cut, at);
    CHECK(read_all(cut).error().code == errc::corrupt);
    const auto damaged = folder.path() / "damaged";
    std::filesystem::copy_file(path, damaged, std::filesystem::copy_options::overwrite_existing);
    std::fstream file(damaged, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.close();
    CHECK_FALSE(read_all(damaged).has_value());
  }
  std::ofstream(path, std::ios::app) << "x";
  CHECK(read_all(path).error().code == errc::corrupt);
}

TEST_CASE("a bundle file has its name only when it is whole") {
  temporary_folder folder;
  const auto path = folder.path() / "image.bundle";
  {
    auto writer = bundle_writer::create(path, some_tree(), some_contents()).value();
    REQUIRE(writer.add(some_segment(0)));
  }
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(bundle_reader::open(path).error().code == errc::not_found);
}

TEST_CASE("two bundle files that are written at once under one name do not mix") {
  temporary_folder folder;
  const auto path = folder.path() / "image.bundle";
  auto first = bundle_writer::create(path, some_tree(), some_contents()).value();
  CHECK(bundle_writer::create(path, some_tree(), some_contents()).error().code == errc::busy);
  REQUIRE(first.add(some_segment(0)));
  REQUIRE(first.finish());
  CHECK(read_all(path).value() == 2);
}

TEST_CASE("what is no file is no bundle file, and nobody waits for it") {
  temporary_folder folder;
  const auto fifo = folder.path() / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(bundle_reader::open(fifo).error().code == errc::invalid_argument);
}

}  // namespace firstlight
