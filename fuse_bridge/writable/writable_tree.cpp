#include "fuse_bridge/writable/writable_tree.hpp"

#include "fuse_bridge/upper_root.hpp"
#include "fuse_bridge/writable/load_layer.hpp"
#include "fuse_bridge/writable/work_folders.hpp"

namespace firstlight {

writable_tree::writable_tree(std::shared_ptr<const toc_view> toc, std::uint32_t toc_mark,
                             const content_store& store, std::unique_ptr<upper_layer> layer,
                             std::unique_ptr<kept_files> kept, exchange_notes exchanges,
                             std::uint64_t copied_at_once_max, session_life life)
    : toc_(std::move(toc)),
      directories_(toc_),
      numbers_(toc_mark),
      store_(store),
      layer_(std::move(layer)),
      kept_(std::move(kept)),
      exchanges_(std::move(exchanges)),
      life_(life),
      copied_at_once_max_(copied_at_once_max),
      tree_(toc_) {}

result<std::shared_ptr<writable_tree>> writable_tree::open(std::shared_ptr<const toc_view> toc,
                                                           std::uint32_t toc_mark, const content_store& store,
                                                           const writable_layer& folders,
                                                           std::uint64_t copied_at_once_max,
                                                           session_life life) {
  auto layer = upper_layer::open(folders);
  if (!layer) return tl::unexpected(layer.error());
  const work_folders work(folders.work);
  auto kept = kept_files::open(work.kept, life);
  if (!kept) return tl::unexpected(kept.error());
  auto exchanges = exchange_notes::open(work.exchanges, life);
  if (!exchanges) return tl::unexpected(exchanges.error());
  std::shared_ptr<writable_tree> made(new writable_tree(std::move(toc), toc_mark, store, std::move(*layer),
                                                        std::move(*kept), std::move(*exchanges),
                                                        copied_at_once_max, life));
  const auto give_root = [&]() -> result<void> {
    if (const auto root = made->promote_root(); !root)
      return tl::unexpected(
          from_errno(root.error(), "give " + folders.upper.string() + " the attributes of the image's root"));
    return {};
  };
  if (life == session_life::fresh)
    if (auto given = give_root_once(folders.upper, give_root); !given) return tl::unexpected(given.error());
  if (auto loaded = load_layer(made->tree_, *made->layer_, *made->kept_, made->numbers_); !loaded)
    return tl::unexpected(loaded.error());
  if (life == session_life::taken_over) made->tree_.find_removed_folders();
  return made;
}

}  // namespace firstlight
