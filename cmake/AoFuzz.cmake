# AO_FUZZ=ON, with clang: the decoders of foreign bytes under libFuzzer, and
# nothing else that is built from tests/. See tests/fuzz/.
option(AO_FUZZ "Build the fuzz targets instead of the tests" OFF)

if(AO_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "AO_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize=null -fno-sanitize-recover=all -fno-omit-frame-pointer
    # Warnings are g++'s business.
    -w)
  add_link_options(-fsanitize=address,undefined)
endif()
