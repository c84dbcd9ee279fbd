#include "tests/support/places.hpp"

namespace ao {

std::filesystem::path source_file(const std::string& name) {
  return std::filesystem::path{AO_SOURCE_DIR} / name;
}

std::string program_path(const std::string& name) {
  return std::string{AO_BIN_DIR "/"} + name;
}

std::string preload_path() {
  return AO_PRELOAD;
}

} // namespace ao
