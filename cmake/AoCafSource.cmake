# CAF compiled with our own flags, from Debian's source package, under the
# names of FindCAF: the installed library, unknown to ThreadSanitizer, gives
# false reports. What nobody links is not built. -O0, as the tests that use it
# wait for the compiler longer than for CAF.
file(GLOB_RECURSE build_config_in ${AO_CAF_SOURCE_DIR}/cmake/build_config.hpp.in)
if(NOT build_config_in)
  message(FATAL_ERROR "AO_CAF_SOURCE_DIR: ${AO_CAF_SOURCE_DIR} holds no "
    "actor-framework 0.17 sources")
endif()
set(CAF_LOG_LEVEL QUIET)
configure_file(${build_config_in}
  ${CMAKE_BINARY_DIR}/generated/caf/caf/detail/build_config.hpp)

foreach(part core io openssl)
  set(dir ${AO_CAF_SOURCE_DIR}/libcaf_${part})
  file(GLOB_RECURSE caf_src ${dir}/src/*.cpp)
  list(FILTER caf_src EXCLUDE REGEX "_windows\\.cpp$")
  add_library(caf_${part}_source STATIC EXCLUDE_FROM_ALL ${caf_src})
  target_compile_options(caf_${part}_source PRIVATE -O0 -w)
  target_include_directories(caf_${part}_source SYSTEM PUBLIC
    ${dir} ${CMAKE_BINARY_DIR}/generated/caf)
  add_library(CAF::${part} ALIAS caf_${part}_source)
endforeach()
target_link_libraries(caf_core_source PUBLIC Threads::Threads)
target_link_libraries(caf_io_source PUBLIC caf_core_source)
target_link_libraries(caf_openssl_source PUBLIC caf_io_source OpenSSL::SSL)
