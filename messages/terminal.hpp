#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ao::msg {

/// The longest part of what a terminal shows, or of what is typed into it.
constexpr std::size_t longest_terminal_part = 64 * 1024;

/// Nobody has a window of more columns or rows.
constexpr std::uint32_t largest_window = 10'000;

/// What is wanted of a terminal that somebody looks at from afar.
enum class terminal_deed : std::uint8_t {
  /// An attachment: another client of the session's terminal.
  open,
  /// What it shows from `offset` on; answered as soon as that is something.
  read,
  /// What was typed, and how large the window is by now.
  write,
  /// The attachment ends; of one that has ended it is no error.
  close,
};

/// `open`, …
std::string_view to_string(terminal_deed x);
std::optional<terminal_deed> terminal_deed_from(std::string_view text);

/// API → NODE PROXY → LINK → TERMINALS: one step of looking at a terminal.
/// Repeating it is safe: what was typed is taken once, by its offset.
struct use_terminal {
  terminal_deed deed = terminal_deed::open;
  session_id session;
  /// Which one, except of `open`.
  std::string attachment;
  /// `open`: names the request; the same one gets the same attachment.
  std::string request;
  /// `open`: of the server that has the session's terminal.
  std::string socket;
  /// `open`: the kind of terminal that looks, as in `TERM`.
  std::string term;
  /// `open`, `write`: of the window, in characters; 0 = as it is.
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;
  /// `read`: bytes that the reader has, which are kept no longer. `write`:
  /// bytes typed before these.
  std::uint64_t offset = 0;
  /// `write`: at most `longest_terminal_part`.
  std::string bytes;
};

struct terminal_part {
  std::string attachment;
  /// `read`: of the first of `bytes`.
  std::uint64_t offset = 0;
  /// The offset to go on with: `read`: behind `bytes`; `write`: behind what was
  /// taken, which may be less than what came.
  std::uint64_t next = 0;
  /// Bytes that wait to be read; there are never more than
  /// `longest_terminal_part`.
  std::uint64_t unread = 0;
  /// The client has ended, and there is nothing behind `next`.
  bool ended = false;
  /// Its exit status then; 128 and the signal, where one has ended it.
  int status = 0;
  /// `read`: at most `longest_terminal_part`.
  std::string bytes;
};

/// INTERNAL, to TERMINALS: the terminal of an attachment shows something, has
/// ended, or takes something again.
struct terminal_news {
  std::string attachment;
};

} // namespace ao::msg
