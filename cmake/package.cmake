# The Debian package: what an installation is, and config files of the administrator's under /etc.
install(FILES config/examples/hub.json config/examples/node.json DESTINATION /etc/firstlight
        COMPONENT package EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME firstlight)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Firstlight <firstlight@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "starts containers before their images have arrived")
set(CPACK_PACKAGE_DESCRIPTION "A hub beside the registry knows every file of every image and the order in which
programs read them; a node mounts an image as soon as its table of contents is there and receives the contents as
one stream, hottest first. Also a snapshotter of containerd's. The services are installed but not started.")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};firstlight;ALL;/;${PROJECT_BINARY_DIR};firstlight;package;/")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What no program is linked to: loaded when it is needed (libcurl, libsystemd), or run.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4, libsystemd0, runc, fuse3, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS containerd)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
include(CPack)
