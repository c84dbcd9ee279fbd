#include "runtime/agents/exec_guard.hpp"

#include "runtime/agents/adapter.hpp"
#include "runtime/home/files.hpp"

namespace ao {
namespace {

constexpr mode_t executable = 0700;

std::string script_for(const session_id& session, session_role role) {
  return "#!/bin/sh\n"
         "# Made by ao, in front of PATH.\n"
         "cat >&2 <<END\n"
         "ao: not_allowed: ${0##*/} is not started from session "
    + session.text + " (" + std::string{to_string(role)}
  + "): nobody would supervise it, and it would end with this terminal.\n"
    "ao: start a session instead: ao spawn --prompt 'what it is to do'\n"
    "END\n"
    "exit "
    + std::to_string(info(ec::not_allowed).exit_code) + "\n";
}

} // namespace

std::string exec_guard_of(const std::string& session_directory) {
  return session_directory + "/guard";
}

bool has_exec_guard(session_role role) {
  return is_judge(role) || role == session_role::orchestrator;
}

result<void> make_exec_guard(const std::string& session_directory,
                             const session_id& session, session_role role) {
  auto directory = exec_guard_of(session_directory);
  if (auto ok = make_directories(directory); !ok)
    return ok;
  auto script = script_for(session, role);
  for (const auto* adapter : all_adapters()) {
    auto file = directory + "/" + std::string{adapter->program};
    if (auto ok = write_file_durably(file, script, executable); !ok)
      return ok;
  }
  return {};
}

} // namespace ao
