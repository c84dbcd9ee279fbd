#include "tests/support/agent_programs.hpp"

#include "tests/support/places.hpp"

#include <cstdlib>

namespace ao {

namespace fs = std::filesystem;

bool agent_programs::has(const std::string& program) const {
  std::error_code none;
  return fs::exists(directory / program, none);
}

agent_programs find_agent_programs() {
  agent_programs out;
  const auto* named = std::getenv("AO_AGENT_PROGRAMS");
  auto root = named != nullptr
    ? fs::path{named}
    : fs::path{program_path("ao")}.parent_path().parent_path() / "agents";
  out.directory = root / "node_modules/.bin";
  out.missing = "is not in " + out.directory.string()
    + "; `./dev deps agents` installs it";
  return out;
}

} // namespace ao
