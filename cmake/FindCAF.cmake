# CAF 0.17 ships neither a CMake config nor a .pc file. Defines CAF::core,
# CAF::io and CAF::openssl, the names that CAF's own config uses from 0.18 on.
find_path(CAF_INCLUDE_DIR caf/all.hpp)
if(CAF_INCLUDE_DIR)
  file(STRINGS ${CAF_INCLUDE_DIR}/caf/config.hpp caf_version_line
    REGEX "#define CAF_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+" caf_version_number "${caf_version_line}")
  math(EXPR caf_major "${caf_version_number} / 10000")
  math(EXPR caf_minor "(${caf_version_number} / 100) % 100")
  math(EXPR caf_patch "${caf_version_number} % 100")
  set(CAF_VERSION ${caf_major}.${caf_minor}.${caf_patch})
endif()
foreach(part core io openssl)
  find_library(CAF_${part}_LIBRARY caf_${part})
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF VERSION_VAR CAF_VERSION REQUIRED_VARS
  CAF_INCLUDE_DIR CAF_core_LIBRARY CAF_io_LIBRARY CAF_openssl_LIBRARY)
if(CAF_FOUND AND NOT TARGET CAF::core)
  foreach(part core io openssl)
    add_library(CAF::${part} UNKNOWN IMPORTED)
    set_target_properties(CAF::${part} PROPERTIES
      IMPORTED_LOCATION ${CAF_${part}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR})
  endforeach()
  find_package(Threads REQUIRED)
  set_target_properties(CAF::core PROPERTIES
    INTERFACE_LINK_LIBRARIES Threads::Threads)
  set_target_properties(CAF::io PROPERTIES INTERFACE_LINK_LIBRARIES CAF::core)
  set_target_properties(CAF::openssl PROPERTIES
    INTERFACE_LINK_LIBRARIES CAF::io)
endif()
mark_as_advanced(CAF_INCLUDE_DIR CAF_core_LIBRARY CAF_io_LIBRARY
  CAF_openssl_LIBRARY)
