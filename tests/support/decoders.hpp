#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// What reads bytes that somebody else has made. It may refuse them; it may
/// neither crash nor break what it promises of its answer.
struct decoder {
  /// Also the folder of its examples: `tests/fuzz/corpus/<name>`.
  std::string name;
  void (*decode)(std::string_view bytes);
};

/// All of them: `config`, `http`, `api`, `backlog`, `git`, `tmux`,
/// `transcript`, `shim`, `chat`.
const std::vector<decoder>& decoders();

/// The one of this name, or null.
const decoder* find_decoder(std::string_view name);

} // namespace ao
