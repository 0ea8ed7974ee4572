#pragma once
#include "config/bindings.hpp"

/// The sections that hub and node share. Only for the sources of this folder.
namespace firstlight::detail {

void bind_tls(binder& to, tls_files& o);
void bind_link(binder& to, link_limits& o);
void bind_admin(binder& to, admin_socket_limits& o);
void bind_store(binder& to, database_limits& database, content_store_limits& contents,
                catalogue_limits& catalogue);

}  // namespace firstlight::detail
