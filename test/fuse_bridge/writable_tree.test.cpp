// A writable_tree without a kernel above it: several threads at once. Needs neither CAF nor FUSE.
#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <thread>

#include "test/fuse_bridge/list_folder.hpp"
#include "test/fuse_bridge/whole_contents.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t files = 6;
constexpr std::size_t file_bytes = 40'000;

image_builder::built made_image() {
  image_builder image;
  for (std::uint32_t i = 0; i < files; ++i) {
    image.file("d/f" + std::to_string(i), patterned_bytes(file_bytes, i));
    image.hard_link("l" + std::to_string(i), "d/f" + std::to_string(i));
  }
  image.file("d/e/inner", "inner");
  return image.build();
}

}  // namespace

TEST_CASE("threads that promote, change, move and remove the same files leave a tree that loads again") {
  const temporary_folder folder;
  const auto image = made_image();
  const whole_contents store(folder.path() / "store", image);
  const writable_layer layer{folder.path() / "upper", folder.path() / "work"};
  const auto at_once = GENERATE(0U, 1U << 20U);
  auto tree = *writable_tree::open(image.toc, 7, store, layer, at_once);
  const auto folder_number = tree->lookup(root_inode, "d")->number;
  std::atomic<int> unexpected{0};
  const auto check = [&](int error_number) {
    if (error_number != 0 && error_number != ENOENT && error_number != EEXIST && error_number != ESTALE &&
        error_number != ENOTEMPTY)
      ++unexpected;
  };
  std::vector<std::thread> threads;
  for (std::uint32_t worker = 0; worker < 4; ++worker)
    threads.emplace_back([&, worker] {
      for (std::uint32_t round = 0; round < 40; ++round) {
        const auto name = "f" + std::to_string((round + worker) % files);
        const auto other = "f" + std::to_string((round * 3 + worker) % files);
        if (const auto found = tree->lookup(folder_number, name)) {
          const auto opened = open_patiently(*tree, found->number, O_RDWR);
          if (opened) {
            if (const auto file = tree->file_of(found->number); file && *file != nullptr)
              if (pwrite((*file)->get(), "x", 1, worker) != 1) ++unexpected;
            tree->release(found->number);
          } else {
            check(opened.error().error_number);
          }
          attribute_changes changes;
          changes.mode = 0600U + worker;
          if (const auto changed = tree->set_attributes(found->number, changes, pace::at_once); !changed)
            check(changed.error().error_number);
        }
        if (const auto moved = tree->rename({folder_number, name}, {folder_number, other}, 0); !moved)
          check(moved.error());
        const auto made = tree->make(folder_number, name, S_IFREG | 0600U, 0, {}, writable_tree::opened::no);
        if (!made) check(made.error());
        if (const auto linked =
                made ? tree->link(made->number, root_inode, "new" + std::to_string(worker)) : made;
            !linked)
          check(linked.error());
        if (const auto gone = tree->unlink(root_inode, "new" + std::to_string(worker)); !gone)
          check(gone.error());
        if (!list_folder(*tree, folder_number)) ++unexpected;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(unexpected == 0);

  const auto seen = [](writable_tree& of, node_number in) {
    std::vector<std::string> lines;
    const auto listed = list_folder(of, in);
    REQUIRE(listed);
    for (const auto& [name, number, place] : *listed) {
      const auto st = *of.attributes(number);
      lines.push_back(name + " " + std::to_string(place) + " " + std::to_string(st.st_mode) + " " +
                      std::to_string(st.st_size) + " " +
                      std::to_string(S_ISDIR(st.st_mode) ? 0 : st.st_nlink));
    }
    return lines;
  };
  const auto before = std::pair(seen(*tree, root_inode), seen(*tree, folder_number));
  tree.reset();
  tree = *writable_tree::open(image.toc, 7, store, layer, at_once);
  CHECK(std::pair(seen(*tree, root_inode), seen(*tree, folder_number)) == before);
  CHECK(fs::is_empty(layer.work / "firstlight"));
}
