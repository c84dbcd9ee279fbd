# ao_floor(<name> SOURCES <files...> PUBLIC <libs...> [PRIVATE <libs...>]
#          [PCH <header | floor>])
# One library of the house. PCH names the header to precompile, or the floor
# whose precompiled header is used again. A floor without sources is only its
# links.
function(ao_floor name)
  cmake_parse_arguments(arg "" "PCH" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(NOT arg_SOURCES)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_PUBLIC})
    return()
  endif()
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  if(arg_PCH)
    ao_precompile(${name} ${arg_PCH})
  endif()
endfunction()

# ao_precompile(<target> <header | floor>)
# The same for any target; a floor that is empty has nothing to give.
function(ao_precompile target from)
  if(NOT TARGET ${from})
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/${from})
    return()
  endif()
  get_target_property(type ${from} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()
