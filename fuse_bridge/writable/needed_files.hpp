#pragma once
#include <memory>
#include <mutex>
#include <set>

#include "fuse_bridge/writable/node_number.hpp"

namespace firstlight {

/// THE FILES THAT SOMEBODY IS ABOUT TO USE: who waits to open or to change one, or copies its contents. One
/// that loses its last name meanwhile is kept for them. Any thread, with or without any lock: it calls
/// nobody.
class needed_files {
 public:
  /// One who needs a file, until it goes; it may outlive the files.
  class user;

  [[nodiscard]] std::shared_ptr<const user> add(node_number number);
  [[nodiscard]] bool contains(node_number number) const;

 private:
  struct all_users {
    std::mutex mutex;
    std::multiset<node_number> files;
  };
  std::shared_ptr<all_users> all_ = std::make_shared<all_users>();
};

class needed_files::user {
 public:
  user(std::shared_ptr<all_users> all, node_number number);
  ~user();
  user(const user&) = delete;
  user& operator=(const user&) = delete;

 private:
  std::shared_ptr<all_users> all_;
  std::multiset<node_number>::iterator place_;
};

}  // namespace firstlight
