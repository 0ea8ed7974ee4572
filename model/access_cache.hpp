#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "model/digest.hpp"
#include "model/instant.hpp"

namespace firstlight {

/// For how long answers count.
struct access_times {
  std::chrono::milliseconds allowed{300'000};     ///< "may read"
  std::chrono::milliseconds refused{10'000};      ///< "may not read"
  std::chrono::milliseconds away{3'600'000};      ///< "may read", while the registry cannot be asked
  std::chrono::milliseconds resumed{86'400'000};  ///< a delivery that has begun may go on
  /// Of answers about images, of answers about repositories, and of deliveries, each; the oldest go.
  std::uint32_t entries_max = 65'536;
};

/// Who asks for what.
struct access_key {
  digest login;            ///< hash of it, nowhere else used
  std::string image;       ///< canonical reference
  std::string repository;  ///< of the image
  friend auto operator<=>(const access_key&, const access_key&) = default;
};

/// What is remembered of the registries' answers: may this login read this image? A value with a clock of the
/// caller's.
class access_cache {
 public:
  explicit access_cache(access_times times) : times_(times) {}

  /// What still counts: nothing when the registry has to be asked; an empty error when it may be read.
  [[nodiscard]] std::optional<std::optional<error>> answer(const access_key& key, instant now) const;
  /// Whether what it said last counts while it is away. Registries give rights to repositories: what was said
  /// of one tag or digest counts for the others.
  [[nodiscard]] bool allowed_before(const access_key& key, instant now) const;
  /// The registry has answered; no `refusal`: it may be read.
  void note(const access_key& key, const std::optional<error>& refusal, instant now);

  /// A delivery of this table of contents to this node has been allowed.
  void note_delivery(const std::string& node, const toc_id& toc, instant now);
  [[nodiscard]] bool may_go_on(const std::string& node, const toc_id& toc, instant now) const;

  [[nodiscard]] std::size_t size() const { return std::max(images_.size(), repositories_.size()); }

 private:
  struct entry {
    std::optional<error> refusal;
    instant at;
  };
  using answers = std::map<std::pair<digest, std::string>, entry>;

  void note(answers& all, const std::pair<digest, std::string>& what, const std::optional<error>& refusal,
            instant now) const;

  access_times times_;
  answers images_;
  answers repositories_;  ///< the last answer that says something about the whole repository
  std::map<std::pair<std::string, toc_id>, instant> deliveries_;
};

}  // namespace firstlight
