#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace ao::soak {

/// What a soak came to.
struct outcome {
  /// What went otherwise than it should; nothing = it held.
  std::vector<std::string> objections;
  /// Members of the object beside `soak`, `seconds`, `ok`, `objections`.
  nlohmann::json figures;
};

/// Runs a soak and prints its one object. Returns the exit code: 0 when
/// everything held.
/// @param work Makes worlds; what it throws is caught, so that they are taken
/// down.
template <class Work>
int run(const std::string& name, Work work) {
  auto began = std::chrono::steady_clock::now();
  try {
    outcome found = work();
    std::chrono::duration<double> took
      = std::chrono::steady_clock::now() - began;
    auto out = std::move(found.figures);
    out["soak"] = name;
    out["seconds"] = took.count();
    out["ok"] = found.objections.empty();
    out["objections"] = found.objections;
    std::cout << out.dump() << std::endl;
    return found.objections.empty() ? 0 : 1;
  } catch (const std::exception& why) {
    std::cerr << "soak_" << name << ": " << why.what() << std::endl;
    return 1;
  }
}

} // namespace ao::soak
