#pragma once
#include "actors/hub/prepare_delivery.hpp"
#include "storage/holdings.hpp"
#include "storage/learn_image.hpp"
#include "storage/pki/certificate_authority.hpp"
#include "storage/receive_image.hpp"
#include "storage/segment_builder.hpp"
#include "test/harness/temporary_folder.hpp"

/// Small real stores in temporary folders: what actors of the hub and of the node work with. Failures throw.
namespace firstlight {

/// One cluster's authority and the certificate of a hub.
class test_authority {
 public:
  test_authority();
  [[nodiscard]] trust_anchor anchor() const;
  [[nodiscard]] signing_identity hub() const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  temporary_folder folder_;
  issued_certificate hub_;
};

/// The stores of one hub.
class hub_stores {
 public:
  explicit hub_stores(const test_authority& authority);

  /// Takes an image of one layer (a tar) in under a name.
  known_image add(const std::string& name, const std::string& tar);
  [[nodiscard]] preparation_tools preparation() { return {*catalogue, *traces, identity, {}, {}}; }

  temporary_folder folder;
  signing_identity identity;
  std::unique_ptr<database> metadata;
  std::unique_ptr<content_store> contents;
  std::unique_ptr<image_catalogue> catalogue;
  std::unique_ptr<layer_cache> layers;
  std::unique_ptr<segment_builder> builder;
  learning_options learning;
  std::unique_ptr<trace_store> traces;
  source_options source;
  static_order_limits order_limits;
  [[nodiscard]] learn_tools learn() const { return {*catalogue, *traces, learning}; }

  /// Writes an OCI layout of one layer into this store's folder. @returns its reference.
  std::string layout(const std::string& tar);

 private:
  std::uint32_t layouts_ = 0;
};

/// The stores of one node.
class node_stores {
 public:
  explicit node_stores(const test_authority& authority);
  [[nodiscard]] receive_tools tools() { return {*catalogue, *contents, anchor, limits}; }
  [[nodiscard]] held_bytes held(const toc_view& toc) const { return measure_held(toc, *contents); }

  temporary_folder folder;
  trust_anchor anchor;
  receiver_limits limits;
  std::unique_ptr<database> metadata;
  std::unique_ptr<content_store> contents;
  std::unique_ptr<image_catalogue> catalogue;
};

/// A tar with two larger files and some small ones; other seeds give other bytes.
[[nodiscard]] std::string some_layer(std::uint32_t seed = 1);

}  // namespace firstlight
