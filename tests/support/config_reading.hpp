#pragma once

#include "runtime/config/load.hpp"
#include "tests/support/places.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

/// Short words for tests that read configurations.
namespace ao::test {

/// An environment of a map; HOME is /home/me unless given.
inline env_lookup environment(std::map<std::string, std::string> vars = {}) {
  vars.emplace("HOME", "/home/me");
  return [vars](const std::string& name) -> std::optional<std::string> {
    auto at = vars.find(name);
    return at == vars.end() ? std::nullopt
                            : std::optional<std::string>{at->second};
  };
}

/// Reads `text` as if it were /work/app/ao.yaml, called `ao.yaml` in reports.
inline config_outcome read(const std::string& text,
                           std::map<std::string, std::string> vars = {},
                           const std::string& file = "/work/app/ao.yaml") {
  return read_config(text, file, environment(std::move(vars)));
}

/// The error lines, one below the other, without the directory.
inline std::string report(const config_outcome& outcome) {
  std::string out;
  for (auto e : outcome.errors) {
    e.file = std::filesystem::path{e.file}.filename().string();
    out += (out.empty() ? "" : "\n") + to_string(e);
  }
  return out;
}

/// Where `key` comes from, and its value: `value <- source`.
inline std::string shown(const config_outcome& outcome,
                         const std::string& key) {
  for (const auto& v : outcome.shown)
    if (v.key == key)
      return v.value + " <- " + v.source;
  return {};
}

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace ao::test
