#include "tests/support/seen_processes.hpp"

#include <fstream>
#include <sstream>

namespace ao {
namespace fs = std::filesystem;
namespace {

/// Not by iterators: those throw when the process ends while it is read.
std::string bytes_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace

std::vector<seen_process> processes_of(const fs::path& root) {
  std::vector<seen_process> out;
  std::error_code gone;
  for (const auto& p : fs::directory_iterator{"/proc", gone}) {
    seen_process one{bytes_of(p.path() / "cmdline"),
                     bytes_of(p.path() / "environ")};
    if (one.variables.find(root.string()) != std::string::npos)
      out.push_back(std::move(one));
  }
  return out;
}

} // namespace ao
