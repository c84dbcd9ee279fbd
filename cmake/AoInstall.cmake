# cmake --install: the programs stay beside each other, as each finds its
# siblings there.
include(GNUInstallDirs)
foreach(program ao ao-hub ao-node ao-shim)
  if(TARGET ${program})
    install(TARGETS ${program} DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
foreach(folder configs docs)
  if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/${folder})
    install(DIRECTORY ${folder}/
      DESTINATION ${CMAKE_INSTALL_DATADIR}/ao/${folder}
      PATTERN systemd EXCLUDE)
  endif()
endforeach()
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
# The manual and the completions, see cli/CMakeLists.txt.
install(DIRECTORY ${CMAKE_BINARY_DIR}/share/
  DESTINATION ${CMAKE_INSTALL_DATADIR})

# Units name their program by its whole path, and only the installation knows
# its prefix.
foreach(unit ao-hub ao-node)
  install(CODE "
    set(AO_BIN \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    set(to \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/user\")
    configure_file(\"${CMAKE_SOURCE_DIR}/configs/systemd/${unit}.service.in\"
      \"\${to}/${unit}.service\" @ONLY)
    file(CHMOD \"\${to}/${unit}.service\" PERMISSIONS
      OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES
      \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/user/${unit}.service\")
    message(STATUS \"Installing: \${to}/${unit}.service\")
  ")
endforeach()

# cpack -G DEB, in the build directory; ./dev package.
set(CPACK_PACKAGE_NAME ao)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Orchestrator of AI coding agents")
set(CPACK_PACKAGE_DESCRIPTION "Runs many AI coding agents in parallel,
unattended, each in a git worktree and a tmux session of its own, and brings
back merged work.")
set(CPACK_PACKAGE_CONTACT "the maintainers of ao <ao@ao.invalid>")
set(CPACK_GENERATOR TGZ)
# The units need the prefix of the machine, not of the staging directory.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "git, tmux")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, openssl")
set(CPACK_VERBATIM_VARIABLES ON)
include(CPack)
