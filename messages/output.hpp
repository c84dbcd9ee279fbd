#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <string>

namespace ao::msg {

/// API → NODE PROXY → LINK: a part of what a run of an agent has printed. The
/// reader asks for the next one when it has this one.
struct read_output {
  session_id session;
  run_no run = 0;
  /// The terminal, while the run lives; empty afterwards.
  std::string socket;
  std::string pane;
  /// As the part before has said; empty at first.
  std::string snapshot;
  /// Bytes that the reader has.
  std::uint64_t offset = 0;
};

struct output_part {
  /// False: nothing is there, of a run that printed nothing or whose files are
  /// gone.
  bool kept = false;
  /// Names what the further parts are of, where it would not stay as it is.
  std::string snapshot;
  /// The offset of the next part; 0 = this was the last one.
  std::uint64_t next = 0;
  /// At most `longest_chunk`, whole characters.
  std::string text;
};

} // namespace ao::msg
