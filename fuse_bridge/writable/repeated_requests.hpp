#pragma once
#include "fuse_bridge/writable/writable_tree.hpp"

/// REPEATED REQUESTS: what a process before has carried out and not answered, the kernel asks of this one
/// (kernel_resend.hpp). While it waits nobody else can change the names in question, and it has looked that
/// they can be made or removed: what stands in the way of a repetition is what was done. Each function takes
/// the outcome of carrying a repetition out, and gives what the kernel is to be told. What sets a state
/// (attributes, writes) needs none of this. An exchange of two names looks like its repetition: it is noted
/// (exchange_notes.hpp).
namespace firstlight::repeated {

/// Of making or linking a name.
[[nodiscard]] os_result<shown_file> made(writable_tree& files, node_number folder, const std::string& name,
                                         os_result<shown_file> outcome);

/// Of removing a name (`ENOENT`) or an extended attribute (`ENODATA`).
[[nodiscard]] os_result<void> removed(os_result<void> outcome);

/// Of setting an extended attribute that must not be there before (`EEXIST`): done if it has that value. The
/// kernel does not look itself whether it is there.
[[nodiscard]] os_result<void> set(writable_tree& files, node_number number, const std::string& name,
                                  std::string_view value, os_result<void> outcome);

/// Of moving a name.
[[nodiscard]] os_result<void> moved(writable_tree& files, const layer_place& from, const layer_place& to,
                                    os_result<void> outcome);

}  // namespace firstlight::repeated
