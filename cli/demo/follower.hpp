#pragma once

#include "cli/demo/stage.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace ao::cli::demo {

/// `ao events --follow --json`, line by line.
class follower {
public:
  follower() = default;
  ~follower();
  follower(const follower&) = delete;
  follower& operator=(const follower&) = delete;

  /// Starts it anew, with the events after `after`. Errors: those of `spawn`.
  result<void> start(const stage& where, std::uint64_t after);

  void stop();

  /// Readable when there are events, and at its end.
  int fd() const { return child_.out.get(); }

  /// Appends what has come to `out`; false at its end.
  bool read(std::vector<nlohmann::json>& out);

private:
  child child_;
  std::string text_;
};

} // namespace ao::cli::demo
