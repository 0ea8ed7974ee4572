#pragma once
#include <caf/all.hpp>
#include <variant>

#include "storage/layer_registry.hpp"

/// The messages of the layer store; local like those of messages.hpp.
namespace firstlight {

struct register_layer {
  layer_placement place;
  layer_access access = layer_access::read_only;
  layer_progress progress = layer_progress::incomplete;
  std::optional<toc_id> toc;
  std::vector<layer_label> labels;
  std::string name;  ///< unique; empty: as the place says
};

/// By path: the absolute path of the layer's folder.
struct find_layer {
  std::variant<layer_id, std::string, std::filesystem::path> by;  ///< id, name or path
};
struct list_layers {};
struct layer_list {
  std::vector<layer_record> layers;  ///< by id
};
struct complete_layer {
  layer_id id;
};
/// One more, or one less, who needs the layer.
struct acquire_layer {
  layer_id id;
};
struct release_layer {
  layer_id id;
};
struct label_layer {
  layer_id id;
  std::vector<layer_label> labels;
};
struct remove_layer {
  layer_id id;
  layer_files files = layer_files::keep;
};
/// Of a layer that could not be read, or of a counter.
struct forget_layer_record {
  std::string name;  ///< unreadable_record::name, or as `status` shows it
};
/// Also of a snapshot.
struct record_forgotten {
  std::filesystem::path files;  ///< what is left of it may be there; empty: none was found
};

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::register_layer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::find_layer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::list_layers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::layer_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::complete_layer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::acquire_layer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::release_layer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::label_layer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::remove_layer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::forget_layer_record)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::record_forgotten)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::layer_record)
