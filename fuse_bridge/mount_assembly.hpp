#pragma once
#include <filesystem>
#include <optional>

#include "actors/instance_messages.hpp"
#include "fuse_bridge/fuse_mount_session.hpp"
#include "fuse_bridge/held_mount.hpp"
#include "fuse_bridge/mount_keeper.hpp"

namespace firstlight {

/// Where one image is mounted.
struct mount_place {
  std::filesystem::path private_folder;    ///< made here, removed again; the FUSE mount is below it
  std::filesystem::path target;            ///< an existing directory of the user
  std::optional<writable_layer> writable;  ///< kernel overlayfs stands above, and writes there
  shared_bytes record;                     ///< what a keeper shall know of this mount
  /// Others mount overlays above the target, which the kernel does not count as use of it. It counts as used
  /// until it is taken down.
  bool for_overlays = false;

  /// Where a session notes what is open, for a process that goes on with it.
  [[nodiscard]] static std::filesystem::path open_files_of(const std::filesystem::path& private_folder) {
    return private_folder / "open-files";
  }
  /// Where a session that is left tells what it was asked, where the kernel does not repeat it.
  [[nodiscard]] static std::filesystem::path unanswered_of(const std::filesystem::path& private_folder) {
    return private_folder / "unanswered";
  }
  /// Removes both, and "opens", the table of open files that earlier versions have left.
  static void remove_notes_of(const std::filesystem::path& private_folder, std::error_code& problem) {
    for (const auto& file :
         {open_files_of(private_folder), unanswered_of(private_folder), private_folder / "opens"}) {
      std::filesystem::remove(file, problem);
      if (problem) return;
    }
  }
  [[nodiscard]] std::string name() const { return private_folder.filename().string(); }
};

/// All that belongs to one mount: private folder, FUSE session, and what users see on the target: the
/// FUSE mount itself, or an overlayfs above it. Not thread-safe; not used on the session's threads.
class mount_assembly final : public held_mount {
 public:
  /// The keeper, if there is one, holds the mount once it is whole. Errors:
  /// `already_exists` for the private folder, `not_found` for the target, `io`; nothing is left behind.
  static result<std::unique_ptr<mount_assembly>> make(std::unique_ptr<session_core> core, mount_place place,
                                                      std::shared_ptr<mount_keeper> keeper);

  /// Goes on with what an earlier process has mounted there. Errors: those of fuse_mount_session::take_over;
  /// then the mount has been taken down.
  static result<std::unique_ptr<mount_assembly>> take_over(std::unique_ptr<session_core> core,
                                                           mount_place place,
                                                           std::shared_ptr<mount_keeper> keeper,
                                                           const kept_session& left);

  [[nodiscard]] std::string name() const override { return place_.name(); }

  /// Takes the FUSE mount away too.
  result<void> take_down(busy_mount when_busy) override;

  [[nodiscard]] bool alive() const override;

  /// Sets how much the kernel reads ahead of programs. Files that are open keep what they had.
  result<void> set_read_ahead(std::uint32_t bytes);

  /// Takes down what nobody uses. @returns whether it stays: programs use it, a keeper can hold the mount and
  /// the kernel has not ended it
  bool take_down_unless_used();

  /// Leaves what take_down_unless_used says that stays; what waits goes on in the next process.
  bool leave_if_used() override;

  /// Detaches what is still mounted, stops the session, removes the private folder, unless it is left.
  ~mount_assembly() override;
  mount_assembly(const mount_assembly&) = delete;
  mount_assembly& operator=(const mount_assembly&) = delete;

 private:
  mount_assembly(mount_place place, std::shared_ptr<mount_keeper> keeper)
      : place_(std::move(place)), keeper_(std::move(keeper)) {}
  result<void> assemble(std::unique_ptr<session_core> core);
  result<void> adopt(std::unique_ptr<session_core> core, const kept_session& left);
  void let_keep();
  [[nodiscard]] bool can_be_left();
  result<void> hand_over();
  [[nodiscard]] std::filesystem::path fuse_point() const { return place_.private_folder / "fuse"; }

  mount_place place_;
  std::shared_ptr<mount_keeper> keeper_;
  std::unique_ptr<fuse_mount_session> session_;
  bool folder_made_ = false;
  bool fuse_mounted_ = false;
  bool target_mounted_ = false;
  bool kept_ = false;  ///< the keeper holds it, should this process crash
  bool left_ = false;
};

}  // namespace firstlight
