# Everything that ./dev deps installs, found once.
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS filesystem system)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)

set(AO_CAF_SOURCE_DIR "" CACHE PATH
  "An unpacked actor-framework 0.17.6 to build instead of the installed one")
if(AO_CAF_SOURCE_DIR)
  include(AoCafSource)
else()
  find_package(CAF QUIET CONFIG COMPONENTS core io openssl)
  if(NOT TARGET CAF::core)
    find_package(CAF MODULE REQUIRED)
  endif()
endif()

# The house: include root and warnings, for every target.
add_library(ao_house INTERFACE)
target_include_directories(ao_house INTERFACE ${CMAKE_SOURCE_DIR})
target_link_libraries(ao_house INTERFACE ao_warnings Threads::Threads)

# The outside world of runtime/.
add_library(ao_world INTERFACE)
target_link_libraries(ao_world INTERFACE spdlog::spdlog CURL::libcurl
  SQLite::SQLite3 OpenSSL::SSL OpenSSL::Crypto Boost::filesystem Boost::system yaml-cpp
  prometheus-cpp::core)

# CAF is named here and in FindCAF alone.
add_library(ao_caf INTERFACE)
target_link_libraries(ao_caf INTERFACE CAF::core)

# The same between hosts.
add_library(ao_caf_net INTERFACE)
target_link_libraries(ao_caf_net INTERFACE CAF::openssl CAF::io CAF::core)
