# ao_embed(<variable> DIRECTORY <dir> NAMESPACE <ns> HEADER <header>)
# Writes a source that defines `assets()` of <header>: every file below <dir>,
# so that the program needs nothing beside itself. <variable> is its path.
function(ao_embed variable)
  cmake_parse_arguments(arg "" "DIRECTORY;NAMESPACE;HEADER" "" ${ARGN})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${arg_DIRECTORY}
    ${arg_DIRECTORY}/*)
  list(SORT files)
  set(text "// Made by cmake/AoEmbed.cmake.\n#include \"${arg_HEADER}\"\n")
  string(APPEND text "\nnamespace ${arg_NAMESPACE} {\n\n"
    "const std::vector<asset>& assets() {\n"
    "  static const std::vector<asset> all = {\n")
  foreach(file IN LISTS files)
    file(READ ${arg_DIRECTORY}/${file} bytes)
    string(APPEND text "    {\"${file}\", R\"ao_embed(${bytes})ao_embed\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
      ${arg_DIRECTORY}/${file})
  endforeach()
  string(APPEND text "  };\n  return all;\n}\n\n} // namespace "
    "${arg_NAMESPACE}\n")
  get_filename_component(name ${arg_DIRECTORY} NAME)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${name}_assets.cpp)
  # Written only when it differs, else every configuration would compile it.
  set(old "")
  if(EXISTS ${made})
    file(READ ${made} old)
  endif()
  if(NOT old STREQUAL text)
    file(WRITE ${made} "${text}")
  endif()
  set(${variable} ${made} PARENT_SCOPE)
endfunction()
