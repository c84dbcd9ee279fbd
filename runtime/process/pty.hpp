#pragma once

#include "runtime/process/process.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ao {

class io_loop;

/// Of a terminal, in characters.
struct window_size {
  unsigned short columns = 80;
  unsigned short rows = 24;
};

/// Starts a child in a session of its own whose terminal is `tty`: its standard
/// input, output and error, whatever the specification says of them. Errors:
/// those of `spawn`.
result<child> spawn_on_terminal(const process_spec& spec,
                                const std::string& tty);

/// A program on a terminal of its own, at whose other end we are: what it
/// prints is kept until it was read, what is typed until it is taken, neither
/// without a limit. While so much is kept the terminal is not read, and the
/// program waits. The io loop does the work; all functions may be called from
/// any thread and none blocks.
class pty_process {
public:
  /// Bytes of output that are kept.
  static constexpr std::size_t most_unread = 64 * 1024;
  /// Bytes of input that are kept.
  static constexpr std::size_t most_untaken = 64 * 1024;

  /// Starts the program. Errors: those of `spawn`; `process_failed` (no
  /// terminal is left).
  /// @param on_news Called on the loop's thread whenever there is more output,
  ///        the end, or room for input where there was none; not after `end`
  ///        has been done.
  static result<pty_process> start(io_loop& loop, const process_spec& spec,
                                   window_size size,
                                   std::function<void()> on_news);

  /// As `end`.
  ~pty_process();
  pty_process(pty_process&&) noexcept;
  pty_process& operator=(pty_process&&) noexcept;

  /// The output from `offset` on, which counts from its first byte. What is
  /// before is kept no longer, so that the program may go on. Errors:
  /// `bad_input` for an offset before or behind what is kept.
  result<std::string> read(std::uint64_t offset);

  /// Bytes that are kept now; never more than `most_unread`.
  std::size_t unread() const;

  /// Types as much as there is room for; how many bytes that is. A program that
  /// has ended takes everything.
  std::size_t write(std::string_view bytes);

  /// The window has another size from now on; the program is told so.
  void resize(window_size size);

  /// How it ended, once everything that it has printed can be read.
  std::optional<exit_status> ended() const;

  /// Ends it: its terminal is closed, its process group killed.
  void end();

private:
  struct impl;
  explicit pty_process(std::shared_ptr<impl> made);

  std::shared_ptr<impl> impl_;
};

} // namespace ao
