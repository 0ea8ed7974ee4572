# What an installation is: ./dev install copies it, ./dev package makes a Debian package of it.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # tests are no part of it

# The manual and the completion are what the program says of itself.
set(manual ${PROJECT_BINARY_DIR}/manual)
set(completions bash=bash-completion/completions/firstlight zsh=zsh/vendor-completions/_firstlight
                fish=fish/vendor_completions.d/firstlight.fish)
set(make_completions)
foreach(pair ${completions})
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 shell)
  list(GET pair 1 file)
  get_filename_component(folder ${manual}/${file} DIRECTORY)
  list(APPEND make_completions COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
                               COMMAND firstlight completion ${shell} > ${manual}/${file})
endforeach()
add_custom_command(
  OUTPUT ${manual}/made
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${manual}
  COMMAND firstlight man ${manual}/man/man1
  COMMAND gzip -9 -n -r ${manual}/man
  ${make_completions}
  COMMAND ${CMAKE_COMMAND} -E touch ${manual}/made
  DEPENDS firstlight VERBATIM)
add_custom_target(manual ALL DEPENDS ${manual}/made)

install(TARGETS firstlight RUNTIME DESTINATION bin)
install(TARGETS firstlightd RUNTIME DESTINATION lib/firstlight)  # where apps/program_files.hpp looks
install(FILES config/systemd/firstlight-hub.service config/systemd/firstlight-node.service
        DESTINATION lib/systemd/system)
install(DIRECTORY config/examples DESTINATION share/doc/firstlight)
install(DIRECTORY packaging/kubernetes packaging/grafana DESTINATION share/doc/firstlight/packaging)
install(FILES README.md DESTINATION share/doc/firstlight)
install(DIRECTORY docs DESTINATION share/doc/firstlight)
install(DIRECTORY ${manual}/ DESTINATION share PATTERN made EXCLUDE)
