#pragma once
#include <functional>

#include "config/receiver_limits.hpp"
#include "model/platform.hpp"
#include "storage/content_store.hpp"
#include "storage/erofs/erofs_plans.hpp"
#include "storage/image_catalogue.hpp"
#include "storage/pki/statement_signature.hpp"

/// The blocking steps of taking an image in on a node; the receiver actor runs them on workers.
namespace firstlight {

struct wanted_image {
  std::string reference;  ///< canonical
  std::string platform;   ///< not empty
};

/// An image whose tree is here: it can be mounted. Its contents may still have to become known.
struct mountable_image {
  image_record record;
  std::shared_ptr<const toc_view> toc;
};

/// Whether what a tag meant before stays under its digest, as containerd's: containers may start of it again
/// when the hub has it no more.
enum class former_versions : std::uint8_t { forgotten, pinned };

/// The record of a reference is that of another version of its image from now on.
struct version_replaced {
  catalogue_name former;  ///< under which name the one before stays; an empty reference: it does not
};

/// What the steps work with; the stores outlive them.
struct receive_tools {
  image_catalogue& catalogue;
  content_store& contents;
  const trust_anchor& authority;
  const receiver_limits& limits;
  erofs_plans* plans = nullptr;  ///< for the mount that waits for the tree; none: nobody does
  former_versions former = former_versions::forgotten;
  std::function<void(const version_replaced&)> replaced{};  ///< told of each, by any thread; may be empty
};

/// "Want this, have those": the interrupted image itself first, then the images used last.
result<pull_request> describe_pull(const receive_tools& tools, const wanted_image& wanted,
                                   const std::optional<mountable_image>& interrupted, std::uint64_t delivery);

/// Checks who signed the tree and for which reference, unpacks, checks and opens it, and records the image.
/// Its tree is still to be stored (`store_tree`): a mount waits for the image, and for no file of it. Until
/// then the record is as after a power cut: who finds it counts the image as unknown.
/// Errors: `denied` for a wrong origin, reference or manifest; `corrupt`; those of the stores.
result<mountable_image> open_received_tree(const receive_tools& tools, const wanted_image& wanted,
                                           const toc_frame& frame);
/// Stores the tree of what `open_received_tree` gave. Errors: those of the stores.
result<void> store_tree(const receive_tools& tools, const mountable_image& image);

/// Unpacks and checks the contents that belong to the tree, makes them known, and stores the TOC.
/// Errors: `corrupt`; those of the stores.
result<void> keep_contents(const receive_tools& tools, const mountable_image& image, const toc_frame& frame);

/// Both for the TOC of a bundle file: the signed statement says which reference it is, the image's own
/// configuration for which platform. An image that suits `home` is kept under exactly that platform.
result<mountable_image> keep_bundled_toc(const receive_tools& tools, const platform& home,
                                         const toc_frame& tree, const toc_frame& contents);

/// The image of a TOC that is stored already.
result<mountable_image> keep_stored_toc(const receive_tools& tools, const wanted_image& wanted,
                                        const toc_id& id);

/// Whether all contents are here and durable; then the record says so from now on.
result<bool> make_complete(const receive_tools& tools, const mountable_image& image);

/// Unpacked bytes of blocks of a TOC's contents.
[[nodiscard]] std::uint64_t bytes_of(const toc_view& toc, const std::vector<block_run>& runs);

}  // namespace firstlight
