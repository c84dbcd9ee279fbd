# A build takes ccache only where it is asked to, as the cache lies outside the
# build directory: -DCMAKE_CXX_COMPILER_LAUNCHER=ccache, as ./dev does.
# Precompiled headers are cacheable only with these settings; base_dir and
# nohashdir let two checkouts of one commit share results.
foreach(language C CXX)
  if(CMAKE_${language}_COMPILER_LAUNCHER MATCHES "ccache$")
    set(CMAKE_${language}_COMPILER_LAUNCHER env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${CMAKE_${language}_COMPILER_LAUNCHER})
    add_compile_options($<$<COMPILE_LANG_AND_ID:${language},GNU>:-fpch-preprocess>)
  endif()
endforeach()
