#include "runtime/agents/probe.hpp"

#include "runtime/process/process.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace ao {
namespace {

/// Real ones take less than a second; a machine under load more.
constexpr std::chrono::seconds probe_limit{20};

std::string last_line(const std::string& text) {
  auto end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos)
    return {};
  auto begin = text.rfind('\n', end);
  begin = begin == std::string::npos ? 0 : begin + 1;
  return text.substr(begin, end + 1 - begin);
}

std::string name_of_user(uid_t uid) {
  std::array<char, 4096> room;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) == 0
      && found != nullptr)
    return entry.pw_name;
  return "uid " + std::to_string(uid);
}

std::string octal(mode_t mode) {
  std::array<char, 8> out;
  std::snprintf(out.data(), out.size(), "%04o", mode & 07777u);
  return out.data();
}

std::string shown(const std::vector<std::string>& argv) {
  std::string out;
  for (const auto& word : argv)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

agent_readiness ask_configured_probe(const agent_settings& agent,
                                     const environment& env,
                                     const std::string& directory) {
  auto asked = ask_program(agent.probe, env, directory);
  if (asked.ended && asked.code == 0)
    return {true, {}};
  auto why = asked.ended
    ? "`" + shown(agent.probe) + "` exited " + std::to_string(asked.code)
      + (asked.words.empty() ? "" : ": " + asked.words)
    : asked.words;
  return {false, std::move(why), "auth"};
}

} // namespace

program_answer ask_program(std::vector<std::string> argv,
                           const environment& env,
                           const std::string& directory) {
  program_answer out;
  auto called = shown(argv);
  auto program = find_program(argv.at(0), env.get("PATH"));
  if (!program) {
    out.words = program.error().context;
    return out;
  }
  argv[0] = *program;
  process_spec spec;
  spec.argv = std::move(argv);
  spec.env = env.to_vector();
  spec.cwd = directory;
  auto end = run(spec, probe_limit);
  if (!end) {
    out.words = "`" + called + "`: " + end.error().context;
    return out;
  }
  if (!end->status.code) {
    out.words = "`" + called + "` " + to_string(end->status);
    return out;
  }
  out.ended = true;
  out.code = *end->status.code;
  out.out = end->out;
  out.words = last_line(end->out);
  if (out.words.empty() || out.code != 0)
    if (auto said = last_line(end->err); !said.empty())
      out.words = said;
  return out;
}

std::string about_file(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    return file + ": " + std::strerror(errno);
  return file + ", mode " + octal(info.st_mode) + ", owner "
    + name_of_user(info.st_uid);
}

std::string why_not_usable(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    return errno == ENOENT ? std::string{} : file + ": " + std::strerror(errno);
  auto us = ::geteuid();
  if (info.st_uid != us && us != 0)
    return about_file(file) + ": it is not " + name_of_user(us)
      + "'s; run `sudo chown " + name_of_user(us) + " " + file + "`";
  if (::access(file.c_str(), R_OK) != 0 || (info.st_mode & 0400u) == 0)
    return about_file(file) + ": it cannot be read; run `chmod 600 " + file
      + "`";
  if ((info.st_mode & 077u) != 0)
    return about_file(file) + ": others may read it; run `chmod 600 " + file
      + "`";
  return {};
}

agent_readiness probe_agent(const agent_settings& agent, const environment& env,
                            const std::string& directory) {
  if (!agent.probe.empty())
    return ask_configured_probe(agent, env, directory);
  const auto* adapter = find_adapter(agent.adapter);
  if (!adapter && agent.command.empty())
    return {false, "it has no command; set agents." + agent.name + ".command"};
  auto name = agent.command.empty() ? std::string{adapter->program}
                                    : agent.command.front();
  auto program = find_program(name, env.get("PATH"));
  if (!program)
    return {false, program.error().context};
  if (!adapter || !adapter->probe)
    return {true, {}};
  return adapter->probe(*program, env, directory);
}

std::string version_of(const std::string& program, const environment& env,
                       const std::string& directory) {
  auto asked = ask_program({program, "--version"}, env, directory);
  if (!asked.ended || asked.code != 0)
    return {};
  auto at = std::find_if(asked.out.begin(), asked.out.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
  auto end = std::find_if(at, asked.out.end(), [](char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
  });
  return {at, end};
}

} // namespace ao
